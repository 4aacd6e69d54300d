/** Rooms that cannot be loaded, or are over. */

import { describe, expect, it, vi } from 'vitest';
import { ChatError } from '../../src/errors.js';
import { entered, ROOM } from '../support/entered.js';
import { FakeLink, NOT_A_MEMBER, UNAVAILABLE } from '../support/fake-link.js';
import { message, page } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

describe('a room that cannot be loaded', () => {
  it('says why, and is ready when it could be', async () => {
    const { room, answers } = entered(UNAVAILABLE);
    await pass();
    expect(room.get()).toMatchObject({ status: 'error', error: UNAVAILABLE });
    answers.history = () => page(1, 3);
    room.reload();
    expect(room.get().status).toBe('loading');
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', error: null });
  });

  it('keeps the error while it knows nothing, whatever arrives', async () => {
    const { room, link } = entered(UNAVAILABLE);
    room.up(link.asLink);
    await pass();
    link.deliver(message(4));
    expect(room.get()).toMatchObject({ status: 'error', error: UNAVAILABLE });
  });

  it('is not over because there is no token', async () => {
    const { room, link, answers } = entered(new ChatError('token_required', 'Whose?', false));
    await pass();
    expect(room.get()).toMatchObject({ status: 'error', error: { code: 'token_required' } });
    answers.history = () => page(1, 3);
    room.up(link.asLink);
    await pass();
    expect(room.get().status).toBe('ready');
  });

  it('asks again for what is known of it, when there is a connection', async () => {
    const { room, link, answers } = entered(page(1, 3), UNAVAILABLE);
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', room: null, readOffsetOnEntry: null });
    answers.room = ROOM;
    room.up(link.asLink);
    await pass();
    expect(room.get()).toMatchObject({ room: ROOM, readOffsetOnEntry: 2 });
    answers.room = { ...ROOM, readOffset: 3 };
    room.reload();
    await pass();
    expect(room.get().readOffsetOnEntry).toBe(2);
  });
});

describe('a room that is over', () => {
  it.each([
    [
      'by the history',
      async ({ answers, room }: ReturnType<typeof entered>) => {
        answers.history = () => NOT_A_MEMBER;
        room.reload();
      },
    ],
    [
      'by the subscription',
      async ({ link }: ReturnType<typeof entered>) => {
        link.accept({}, NOT_A_MEMBER);
      },
    ],
    ['by an event', async ({ room }: ReturnType<typeof entered>) => room.removed()],
  ])('%s says so, and asks for nothing any more', async (_, ends) => {
    const all = entered();
    const { room, link } = all;
    await pass();
    room.up(link.asLink);
    await ends(all);
    await pass();
    expect(room.get()).toMatchObject({ status: 'ended', live: false, messages: { length: 3 } });
    expect(room.get().error?.code).toBe('not_a_member');
    expect(link.unsubscribed).toEqual(['room-1']);
    const next = new FakeLink();
    room.down();
    room.up(next.asLink);
    expect(next.subscribed).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('loads nothing any more, though a load was to be tried again', async () => {
    const { room, answers } = entered(UNAVAILABLE);
    await pass();
    const history = vi.fn(() => page(1, 3));
    answers.history = history;
    room.removed();
    expect(vi.getTimerCount()).toBe(0);
    room.reload();
    await pass(60_000);
    expect(history).not.toHaveBeenCalled();
    expect(room.get()).toMatchObject({ status: 'ended', messages: [] });
  });

  it('lets its messages go out to be refused', async () => {
    const { room, link, outbox } = entered();
    await pass();
    room.send('waits');
    room.up(link.asLink);
    expect(link.sent).toEqual([]);
    link.accept({}, NOT_A_MEMBER);
    expect(link.sent).toMatchObject([{ destination: '/app/message' }]);
    link.answer(NOT_A_MEMBER);
    expect(outbox.isWaiting()).toBe(false);
  });
});
