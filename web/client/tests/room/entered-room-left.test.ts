/** A room that nobody is in any more, of which somebody still holds the object. */

import { describe, expect, it, vi } from 'vitest';
import { entered, live, offsets } from '../support/entered.js';
import { NOT_A_MEMBER, UNAVAILABLE } from '../support/fake-link.js';
import { page } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

async function left(first = page(60, 80)) {
  const all = await live(first);
  const { clientMessageId } = all.room.send('bad');
  all.link.answer(NOT_A_MEMBER);
  const history = vi.fn(() => page(10, 59, 80));
  all.answers.history = history;
  all.room.close();
  const sent = all.link.sent.length;
  return { ...all, clientMessageId, history, sent };
}

describe('a room that was left', () => {
  it('takes no message: nobody would see it fail', async () => {
    const { room, outbox, link, sent } = await left();
    const refusal = expect.objectContaining({ name: 'ChatError', code: 'left', retryable: false });
    expect(() => room.send('too late')).toThrow(refusal);
    // Nor does it look at what it does not take.
    expect(() => room.send(' ')).toThrow(refusal);
    expect(outbox.isWaiting()).toBe(false);
    expect(link.sent).toHaveLength(sent);
  });

  it('does nothing else either, and leaves no timer', async () => {
    const { room, told, link, clientMessageId, history, sent } = await left();
    room.markRead();
    room.markRead(70);
    room.reload();
    room.resend(clientMessageId);
    room.discard(clientMessageId);
    await room.loadOlder();
    await pass(600_000);
    expect(room.get()).toMatchObject({ status: 'ready', loadingOlder: false, olderError: null });
    expect(room.get().outbox).toMatchObject([{ content: 'bad', state: 'failed' }]);
    expect([history.mock.calls, told.read]).toEqual([[], []]);
    expect(link.sent).toHaveLength(sent);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that could not be loaded stays so: it is loading no more', async () => {
    const { room } = entered(UNAVAILABLE);
    await pass();
    expect(room.get().status).toBe('error');
    room.close();
    room.reload();
    await pass(600_000);
    expect(room.get()).toMatchObject({ status: 'error', error: UNAVAILABLE });
  });

  it('ends what was under way: older messages that come late are dropped', async () => {
    const { room, answers } = await live(page(60, 80));
    answers.history = () => page(10, 59, 80);
    const done = room.loadOlder();
    room.close();
    await done;
    expect(offsets(room)).toHaveLength(21);
    expect(room.get()).toMatchObject({ loadingOlder: false, olderError: null });
  });
});
