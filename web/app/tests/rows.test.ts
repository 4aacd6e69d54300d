import { describe, expect, it } from 'vitest';
import { newAfter, RowBuilder, type RowsOf, unreadIndex } from '../src/room/rows.js';
import { DAY, MINUTE, message, TEN, waiting } from './messages.js';

function build(given: Partial<RowsOf>, builder = new RowBuilder()) {
  return builder.build({ messages: [], outbox: [], user: 'alice', unreadAfter: null, ...given });
}

describe('groups', () => {
  it('joins what one sender writes within five minutes', () => {
    const rows = build({
      messages: [message(1), message(2, { at: TEN + 5 * MINUTE }), message(3, { sender: 'carol' })],
    });
    expect(rows.map(({ startsGroup }) => startsGroup)).toEqual([true, false, true]);
    expect(rows.map(({ endsGroup }) => endsGroup)).toEqual([false, true, true]);
  });

  it('parts what is further apart than that', () => {
    const rows = build({ messages: [message(1), message(2, { at: TEN + 5 * MINUTE + 1 })] });
    expect(rows.map(({ startsGroup }) => startsGroup)).toEqual([true, true]);
  });

  it('parts what is of two days, and what is on both sides of the unread line', () => {
    const midnight = new Date(2026, 10, 25).getTime();
    const days = [message(1, { at: midnight - MINUTE }), message(2, { at: midnight })];
    expect(build({ messages: days }).map(({ startsGroup }) => startsGroup)).toEqual([true, true]);
    const rows = build({ messages: [message(1), message(2)], unreadAfter: 1 });
    expect(rows.map(({ startsGroup }) => startsGroup)).toEqual([true, true]);
    expect(rows.map(({ endsGroup }) => endsGroup)).toEqual([true, true]);
  });

  it('joins a message that waits with the ones that arrived', () => {
    const own = message(1, { sender: 'alice' });
    const rows = build({ messages: [own], outbox: [waiting('c-2', { createdAt: TEN + MINUTE })] });
    expect(rows.map(({ startsGroup }) => startsGroup)).toEqual([true, false]);
  });
});

describe('days', () => {
  it('begin with their first message, and the first message begins one', () => {
    const rows = build({
      messages: [
        message(1),
        message(2),
        message(3, { at: TEN + DAY }),
        message(4, { at: TEN + DAY }),
      ],
    });
    expect(rows.map(({ startsDay }) => startsDay)).toEqual([true, false, true, false]);
  });
});

describe('messages whose time cannot be read', () => {
  it('begin no day, and part none', () => {
    const bad = { sentAt: 'never' };
    const messages = [message(1, bad), message(2), message(3, bad), message(4)];
    expect(build({ messages }).map(({ startsDay }) => startsDay)).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});

describe('the unread line', () => {
  it('stands above the first message of another after the read marker', () => {
    const rows = build({
      messages: [message(1), message(2), message(3, { sender: 'alice' }), message(4), message(5)],
      unreadAfter: 2,
    });
    expect(unreadIndex(rows)).toBe(3);
    expect(rows.filter(({ startsUnread }) => startsUnread)).toHaveLength(1);
  });

  it('is absent where nothing was unread', () => {
    expect(unreadIndex(build({ messages: [message(1)] }))).toBe(-1);
    expect(unreadIndex(build({ messages: [message(1)], unreadAfter: 1 }))).toBe(-1);
  });
});

describe('rows', () => {
  it('are the same objects as before where nothing changed', () => {
    const builder = new RowBuilder();
    const messages = [message(1), message(2), message(3)];
    const before = build({ messages }, builder);
    const after = build(
      { messages: [message(0, { sender: 'carol' }), ...messages, message(4)] },
      builder,
    );
    expect(after[2]).toBe(before[1]);
    // The first began a day, the last ended a group.
    expect(after[1]).not.toBe(before[0]);
    expect(after[3]).not.toBe(before[2]);
  });

  it('keep the key of an own message from the outbox into the log', () => {
    const [before] = build({ outbox: [waiting('c-1')] });
    const arrived = message(1, { sender: 'alice', clientMessageId: 'c-1' });
    const [after] = build({ messages: [arrived] });
    expect(after?.entry.key).toBe(before?.entry.key);
    expect(before?.entry.state).toBe('pending');
    expect(after?.entry.state).toBe('arrived');
  });

  it('do not take another’s client id for an own one', () => {
    const rows = build({
      messages: [message(1, { clientMessageId: 'c-1' })],
      outbox: [waiting('c-1')],
    });
    expect(new Set(rows.map(({ entry }) => entry.key)).size).toBe(2);
  });
});

describe('newAfter', () => {
  it('counts messages of others after an offset', () => {
    const rows = build({
      messages: [message(1), message(2), message(3, { sender: 'alice' }), message(4)],
      outbox: [waiting('c-1')],
    });
    expect(newAfter(rows, 1)).toBe(2);
    expect(newAfter(rows, 4)).toBe(0);
  });
});

describe('entries of a type that is not known', () => {
  it('are left out, and do not part what stands on both sides', () => {
    const rows = build({
      messages: [message(1), { ...message(2), type: 'edit' }, message(3)],
    });
    expect(rows.map(({ entry }) => entry.offset)).toEqual([1, 3]);
    expect(rows.map(({ startsGroup }) => startsGroup)).toEqual([true, false]);
  });
});
