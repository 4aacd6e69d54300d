/** Rooms that cannot be loaded, or are over. */

import { describe, expect, it, vi } from 'vitest';
import { ChatError } from '../../src/errors.js';
import { entered, live, ROOM } from '../support/entered.js';
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

  it.each([
    ['bad_request', false],
    ['token_invalid', false],
    ['http_404', true],
    ['network', true],
    ['internal', true],
  ])('is not over because of %s', async (code, retryable) => {
    const { room, link, answers } = entered(new ChatError(code, 'Why?', retryable));
    await pass();
    expect(room.get()).toMatchObject({ status: 'error', error: { code } });
    answers.history = () => page(1, 3);
    room.up(link.asLink);
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', error: null });
  });

  it.each(['the history', 'the room'])(
    'is over where %s says: not this user, or not this room',
    async (what) => {
      for (const code of ['not_a_member', 'not_allowed', 'unknown_room', 'invalid_room_id']) {
        // Whatever it says besides: foreign answers may be tried again, these may not.
        const refusal = new ChatError(code, 'No.', true);
        const { room } = what === 'the room' ? entered(page(1, 3), refusal) : entered(refusal);
        await pass(600_000);
        expect(room.get()).toMatchObject({ status: 'ended', error: refusal, messages: [] });
        expect(vi.getTimerCount()).toBe(0);
      }
    },
  );

  it('asks again for what is known of it, when there is a connection', async () => {
    const { room, link, answers } = entered(page(1, 3), UNAVAILABLE);
    await pass();
    expect(room.get()).toMatchObject({ status: 'error', room: null, readOffsetOnEntry: null });
    answers.room = ROOM;
    room.up(link.asLink);
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', room: ROOM, readOffsetOnEntry: 2 });
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

describe('a room that is over, and whose user is a member again', () => {
  async function over() {
    const all = entered();
    await pass();
    all.room.up(all.link.asLink);
    all.link.accept({ 'x-offset': '3', 'x-epoch': 'e1' });
    all.room.removed();
    return all;
  }

  it('begins anew, as a room that is entered', async () => {
    const { room, link, answers, told } = await over();
    answers.history = () => page(1, 5);
    room.joined(link.asLink);
    expect(room.get()).toMatchObject({ status: 'loading', error: null, messages: [], live: false });
    // Nothing is known: only what is new is asked for.
    expect(link.subscribed.at(-1)).toMatchObject({ id: 'room-1', headers: {} });
    await pass();
    link.accept({ 'x-offset': '5', 'x-epoch': 'e1' });
    link.deliver(message(6));
    expect(room.get()).toMatchObject({ status: 'ready', live: true, messages: { length: 6 } });
    expect(told.arrived.map((one) => one.offset)).toEqual([6]);
  });

  it('without a connection loads what it can, and subscribes on the next one', async () => {
    const { room } = await over();
    room.down();
    room.joined(null);
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', live: false });
    const next = new FakeLink();
    room.up(next.asLink);
    expect(next.subscribed).toMatchObject([{ headers: { 'x-since': '1.e1.3' } }]);
  });

  it('is over again where that is refused', async () => {
    const { room, link } = await over();
    room.joined(link.asLink);
    await pass();
    link.accept({}, NOT_A_MEMBER);
    expect(room.get()).toMatchObject({ status: 'ended', error: NOT_A_MEMBER });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not over because of what was asked for before that', async () => {
    const { room, link, answers, outbox } = await over();
    room.joined(link.asLink);
    await pass();
    let late: ((error: ChatError) => void) | undefined;
    const refused = new Promise<never>((_, reject) => (late = reject));
    answers.history = () => refused as never;
    room.reload();
    room.removed();
    answers.history = () => page(1, 3);
    room.joined(link.asLink);
    late?.(NOT_A_MEMBER);
    await pass();
    expect(room.get()).toMatchObject({ status: 'ready', error: null });
    expect(outbox.isWaiting()).toBe(false);
  });

  it('moves its read marker anew, should its log be another one', async () => {
    const { room, link, answers, told } = await over();
    room.joined(link.asLink);
    await pass();
    room.markRead();
    room.removed();
    answers.history = () => page(1, 1, 1, 'e2');
    answers.room = { ...ROOM, epoch: 'e2', readOffset: 0 };
    room.joined(link.asLink);
    await pass();
    room.markRead();
    expect(told.read).toEqual([
      ['1', 3, true],
      ['1', 1, true],
    ]);
  });

  it('stays as it is where it was not over', async () => {
    const { room, link } = await live();
    const [before, requests] = [room.get(), link.subscribed.length];
    room.joined(link.asLink);
    await pass();
    expect(room.get()).toBe(before);
    expect(link.subscribed).toHaveLength(requests);
  });
});
