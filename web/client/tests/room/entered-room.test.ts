import { describe, expect, it, vi } from 'vitest';
import { entered, live, offsets } from '../support/entered.js';
import { NOT_A_MEMBER, UNAVAILABLE } from '../support/fake-link.js';
import { message, page } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

describe('an entered room', () => {
  it('is loading, then ready, then live', async () => {
    const { room, link } = entered();
    expect(room.get()).toMatchObject({ roomId: '1', status: 'loading', live: false, room: null });
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', live: false, readOffsetOnEntry: 2 });
    room.up(link.asLink);
    expect(link.subscribed[0]?.headers).toEqual({ 'x-since': '1.e1.3' });
    link.accept({ 'x-offset': '3', 'x-epoch': 'e1' });
    expect(room.get()).toMatchObject({ live: true });
    room.down();
    expect(room.get()).toMatchObject({ status: 'ready', live: false });
  });

  it('shows what arrives, tells of it, and fills holes before', async () => {
    const { room, link, told, answers } = await live();
    link.deliver(message(4));
    expect(offsets(room)).toEqual([1, 2, 3, 4]);
    answers.history = () => page(5, 5, 6);
    link.deliver(message(6));
    expect(offsets(room)).toEqual([1, 2, 3, 4]);
    await pass();
    expect(offsets(room)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(told.arrived.map((one) => one.offset)).toEqual([4, 5, 6]);
  });

  it('shows nothing that came before the first page, but keeps it', async () => {
    const { room, link, told } = entered();
    room.up(link.asLink);
    link.accept({ 'x-offset': '3', 'x-epoch': 'e1' });
    link.deliver(message(4));
    expect(room.get()).toMatchObject({ status: 'loading', messages: [] });
    await pass();
    expect(offsets(room)).toEqual([1, 2, 3, 4]);
    expect(told.arrived).toEqual([]);
  });

  it('fills what the server could not recover', async () => {
    const { room, link, answers } = entered();
    await pass();
    room.up(link.asLink);
    answers.history = () => page(4, 9);
    link.accept({ 'x-offset': '9', 'x-epoch': 'e1', 'x-recovered': 'false' });
    await pass();
    expect(offsets(room)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it.each([
    ['has another epoch', { 'x-offset': '1', 'x-epoch': 'e2', 'x-recovered': 'false' }, 'e2'],
    ['lost its end', { 'x-offset': '1', 'x-epoch': 'e1', 'x-recovered': 'false' }, 'e1'],
  ])(
    'begins anew where the log %s, and is loading until it has that',
    async (_, headers, epoch) => {
      const { room, link, answers } = entered();
      await pass();
      room.up(link.asLink);
      answers.history = () => page(1, 1, 1, epoch);
      link.accept(headers);
      expect(room.get()).toMatchObject({ status: 'loading', messages: [] });
      await pass();
      expect(room.get()).toMatchObject({ status: 'ready', messages: [message(1, { epoch })] });
    },
  );

  it('begins anew when a message of another log comes, and moves its marker anew', async () => {
    const { room, link, told, answers } = await live();
    room.markRead();
    answers.history = () => page(1, 2, 2, 'e2');
    link.deliver(message(2, { epoch: 'e2' }));
    await pass();
    expect(room.get().messages.map((one) => one.epoch)).toEqual(['e2', 'e2']);
    room.markRead();
    expect(told.read).toEqual([
      ['1', 3, true],
      ['1', 2, true],
    ]);
  });
});

describe('one’s own messages', () => {
  it('leave the outbox when the log shows them, whether the receipt came or not', async () => {
    const { room, link } = await live();
    const { clientMessageId } = room.send('mine');
    expect(room.get().outbox).toMatchObject([{ content: 'mine', state: 'pending' }]);
    link.deliver(message(4, { sender: 'bob', clientMessageId }));
    expect(room.get().outbox).toHaveLength(1);
    link.deliver(message(5, { sender: 'alice', clientMessageId }));
    expect(room.get().outbox).toEqual([]);
  });

  it('leave it too when a page shows them', async () => {
    const { room, link, answers } = await live();
    const { clientMessageId } = room.send('mine');
    const own = message(4, { sender: 'alice', clientMessageId });
    answers.history = () => ({ messages: [own], epoch: 'e1', lastOffset: 5 });
    link.deliver(message(5));
    await pass();
    expect(offsets(room)).toEqual([1, 2, 3, 4, 5]);
    expect(room.get().outbox).toEqual([]);
  });

  it('leave it too when an older page or another log shows them', async () => {
    const older = await live(page(3, 3));
    const first = older.room.send('mine');
    older.answers.history = () => ({
      messages: [message(1), message(2, { sender: 'alice', ...first })],
      epoch: 'e1',
      lastOffset: 3,
    });
    await older.room.loadOlder();
    expect(older.room.get().outbox).toEqual([]);

    const other = await live();
    const { clientMessageId } = other.room.send('mine');
    const more = { sender: 'alice', clientMessageId, epoch: 'e2' };
    other.answers.history = () => ({ messages: [message(1, more)], epoch: 'e2', lastOffset: 1 });
    other.link.deliver(message(1, more));
    await pass();
    expect(other.room.get()).toMatchObject({ status: 'ready', outbox: [] });
  });

  it('can be sent again and forgotten', async () => {
    const { room, link } = await live();
    const { clientMessageId } = room.send('mine');
    link.answer(NOT_A_MEMBER);
    expect(room.get().outbox).toMatchObject([{ state: 'failed', error: { code: 'not_a_member' } }]);
    room.resend(clientMessageId);
    expect(room.get().outbox).toMatchObject([{ state: 'pending', error: null }]);
    link.answer(NOT_A_MEMBER);
    room.discard(clientMessageId);
    expect(room.get().outbox).toEqual([]);
  });
});

describe('older messages', () => {
  it('are loaded once at a time', async () => {
    const { room, answers } = await live(page(60, 80));
    const history = vi.fn(() => page(10, 59, 80));
    answers.history = history;
    const both = Promise.all([room.loadOlder(), room.loadOlder()]);
    expect(room.get()).toMatchObject({ loadingOlder: true, hasOlder: true });
    await both;
    expect(history).toHaveBeenCalledTimes(1);
    expect(room.get()).toMatchObject({ loadingOlder: false });
    expect(offsets(room)).toHaveLength(71);
  });

  it('that cannot be loaded leave an error, until the next try', async () => {
    const { room, answers } = await live(page(60, 80));
    answers.history = () => UNAVAILABLE;
    await room.loadOlder();
    expect(room.get()).toMatchObject({ olderError: UNAVAILABLE, error: null, status: 'ready' });
    answers.history = () => page(10, 59, 80);
    void room.loadOlder();
    expect(room.get().olderError).toBeNull();
    await pass();
    expect(offsets(room)).toHaveLength(71);
  });
});

describe('older messages that do not come', () => {
  it('although there are said to be some are an error, and not asked for in a circle', async () => {
    const { room, answers } = await live(page(60, 80));
    const history = vi.fn(() => ({ ...page(1, 0, 80), nextBefore: 60 }));
    answers.history = history;
    await room.loadOlder();
    await pass(600_000);
    expect(history).toHaveBeenCalledTimes(1);
    expect(room.get()).toMatchObject({
      status: 'ready',
      hasOlder: true,
      loadingOlder: false,
      olderError: { code: 'store_unavailable' },
    });
  });

  it('by a fault of ours are an error too', async () => {
    const { room, answers } = await live(page(60, 80));
    answers.history = () => {
      throw new TypeError('x is undefined');
    };
    await room.loadOlder();
    expect(room.get()).toMatchObject({
      loadingOlder: false,
      olderError: { name: 'ChatError', code: 'internal', message: 'TypeError: x is undefined' },
    });
  });
});

describe('leaving', () => {
  it('tells the client, and closing ends all', async () => {
    const { room, link, told } = await live();
    room.leave();
    expect(told.left).toEqual([room]);
    room.close();
    expect(link.unsubscribed).toEqual(['activity-1', 'room-1']);
    expect(link.sent).toMatchObject([{ destination: '/app/leave' }]);
    link.deliver(message(4));
    expect(offsets(room)).toEqual([1, 2, 3]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
