import { describe, expect, it, vi } from 'vitest';
import { ChatError } from '../../src/errors.js';
import { BROKEN, FakeLink, NOT_A_MEMBER, UNAVAILABLE } from '../support/fake-link.js';
import { message } from '../support/messages.js';
import { connected, contents, entries, outboxOn } from '../support/outbox.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

describe('an entry', () => {
  it('is stored and sent at once, and stays until the log shows it', () => {
    const { outbox, stored, around, link } = connected();
    const entry = outbox.add('1', 'hello');
    expect(entry).toMatchObject({ roomId: '1', content: 'hello', state: 'pending', error: null });
    expect(stored.all('alice')).toHaveLength(1);
    expect(link.sent).toMatchObject([
      {
        destination: '/app/message',
        body: { roomId: '1', content: 'hello', clientMessageId: entry.clientMessageId },
      },
    ]);
    link.answer();
    expect(entries(outbox)).toEqual(['hello sent']);
    expect(stored.all('alice')).toEqual([]);
    outbox.seen([message(1, { sender: 'alice', clientMessageId: entry.clientMessageId })], 'alice');
    expect(entries(outbox)).toEqual([]);
    expect(around.changes).toEqual(['1', '1', '1']);
  });

  it('is taken for seen only with its own id, room and sender', () => {
    const { outbox } = connected();
    const { clientMessageId } = outbox.add('1', 'hello');
    const others = [
      message(1, { sender: 'alice' }),
      message(1, { sender: 'alice', clientMessageId: 'another' }),
      message(1, { sender: 'bob', clientMessageId }),
      message(1, { sender: 'alice', clientMessageId, roomId: '2' }),
    ];
    outbox.seen(others, 'alice');
    outbox.seen([message(1, { sender: 'alice', clientMessageId })], null);
    expect(entries(outbox)).toEqual(['hello pending']);
  });

  it('that is seen before its receipt is done, and the next one follows the receipt', () => {
    const { outbox, stored, link } = connected();
    const { clientMessageId } = outbox.add('1', 'first');
    outbox.add('1', 'second');
    outbox.seen([message(1, { sender: 'alice', clientMessageId })], 'alice');
    expect(entries(outbox)).toEqual(['second pending']);
    expect(contents(link)).toEqual(['first']);
    link.answer();
    expect(contents(link)).toEqual(['first', 'second']);
    expect(stored.all('alice').map((one) => one.content)).toEqual(['second']);
  });

  it('that was stored long ago is not waited for in the log', async () => {
    const { outbox, around, link } = connected();
    outbox.add('1', 'hello');
    link.answer();
    around.link = null;
    await pass(10_000);
    expect(entries(outbox)).toEqual(['hello sent']);
    around.link = link;
    await pass(10_000);
    expect(entries(outbox)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the entries of a room', () => {
  it('go out one at a time, in the order of writing; other rooms do not wait', () => {
    const { outbox, link } = connected();
    for (const content of ['a', 'b', 'c']) outbox.add('1', content);
    outbox.add('2', 'elsewhere');
    expect(contents(link)).toEqual(['a', 'elsewhere']);
    link.sent[0]?.settle(null, {});
    expect(contents(link)).toEqual(['a', 'elsewhere', 'b']);
    link.answer();
    link.answer();
    expect(contents(link)).toEqual(['a', 'elsewhere', 'b', 'c']);
  });

  it('wait for a link, and go out when they are flushed', () => {
    const { outbox, around } = outboxOn();
    outbox.add('1', 'a');
    outbox.add('2', 'b');
    const link = new FakeLink();
    around.link = link;
    outbox.flush('1');
    expect(contents(link)).toEqual(['a']);
    outbox.flush();
    outbox.flush();
    expect(contents(link)).toEqual(['a', 'b']);
  });

  it('keep their order when the clock goes back', () => {
    const { outbox } = outboxOn();
    const first = outbox.add('1', 'first');
    vi.setSystemTime(first.createdAt - 60_000);
    const second = outbox.add('1', 'second');
    expect(second.createdAt).toBeGreaterThan(first.createdAt);
  });
});

describe('a refusal', () => {
  it('for now is followed by another try of the same entry, later each time', async () => {
    const { outbox, link } = connected();
    outbox.add('1', 'a');
    // Half a second at least, and half of 1, 2, 4.
    for (const ms of [1_000, 1_500, 2_500]) {
      const before = link.sent.length;
      link.answer(UNAVAILABLE);
      expect(entries(outbox)).toEqual(['a pending']);
      await pass(ms - 1);
      expect(link.sent).toHaveLength(before);
      await pass(1);
      expect(link.sent).toHaveLength(before + 1);
    }
    expect(new Set(link.bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    link.answer();
    outbox.add('1', 'b');
    link.answer(UNAVAILABLE);
    await pass(1_000);
    expect(contents(link)).toEqual(['a', 'a', 'a', 'a', 'b', 'b']);
  });

  it('with a time to wait keeps to it, also when more is written', async () => {
    const { outbox, link } = connected();
    outbox.add('1', 'a');
    link.answer(new ChatError('overloaded', 'Later.', true, 8_000));
    outbox.add('1', 'b');
    await pass(8_499);
    expect(contents(link)).toEqual(['a']);
    await pass(1);
    expect(contents(link)).toEqual(['a', 'a']);
  });

  it('for now holds up its own room only, and counts for that only', async () => {
    const { outbox, link } = connected();
    outbox.add('1', 'a');
    for (const ms of [1_000, 1_500, 2_500]) {
      link.answer(UNAVAILABLE);
      await pass(ms);
    }
    link.answer(UNAVAILABLE);
    const before = link.sent.length;
    outbox.add('2', 'b');
    expect(contents(link).slice(before)).toEqual(['b']);
    link.answer(UNAVAILABLE);
    await pass(1_000);
    expect(contents(link).slice(before)).toEqual(['b', 'b']);
    await pass(3_500);
    expect(contents(link).slice(before)).toEqual(['b', 'b', 'a']);
  });

  it('that a flush does not wait for leaves no timer behind', () => {
    const { outbox, link } = connected();
    outbox.add('1', 'a');
    link.answer(new ChatError('overloaded', 'Later.', true, 60_000));
    outbox.flush();
    expect(contents(link)).toEqual(['a', 'a']);
    link.answer();
    outbox.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('for good makes it fail, and lets the next one go', () => {
    const { outbox, stored, link } = connected();
    const { clientMessageId } = outbox.add('1', 'a');
    outbox.add('1', 'b');
    link.answer(NOT_A_MEMBER);
    expect(entries(outbox)).toEqual(['a failed', 'b pending']);
    expect(outbox.of('1')[0]?.error).toBe(NOT_A_MEMBER);
    expect(stored.all('alice')[0]).toMatchObject({ clientMessageId, failed: 'not_a_member' });
    expect(contents(link)).toEqual(['a', 'b']);
  });

  it('by a broken connection is followed by nothing until the next one', async () => {
    const { outbox, link } = connected();
    outbox.add('1', 'a');
    link.answer(BROKEN);
    await pass(600_000);
    expect(contents(link)).toEqual(['a']);
    outbox.flush();
    expect(contents(link)).toEqual(['a', 'a']);
  });
});

describe('an entry that failed', () => {
  it('goes out again in its place when asked to, under the same id', () => {
    const { outbox, stored, link } = connected();
    const { clientMessageId } = outbox.add('1', 'a');
    link.answer(NOT_A_MEMBER);
    outbox.resend(clientMessageId);
    expect(entries(outbox)).toEqual(['a pending']);
    expect(stored.all('alice')[0]).not.toHaveProperty('failed');
    expect(link.bodies[0]).toEqual(link.bodies[1]);
  });

  it('is forgotten when asked to, here and where it is stored', () => {
    const { outbox, stored, link } = connected();
    const { clientMessageId } = outbox.add('1', 'a');
    link.answer(NOT_A_MEMBER);
    outbox.discard(clientMessageId);
    expect(entries(outbox)).toEqual([]);
    expect(stored.all('alice')).toEqual([]);
  });

  it('is the only kind that can be sent again or forgotten', () => {
    const { outbox, link } = connected();
    const { clientMessageId } = outbox.add('1', 'a');
    for (const id of [clientMessageId, 'unknown']) {
      outbox.resend(id);
      outbox.discard(id);
    }
    expect(entries(outbox)).toEqual(['a pending']);
    expect(link.sent).toHaveLength(1);
  });
});

describe('limits', () => {
  it('refuse what can never be sent, and more than 500 that wait', () => {
    const { outbox } = outboxOn();
    expect(() => outbox.add('1', ' ')).toThrow(
      expect.objectContaining({ code: 'invalid_content' }),
    );
    for (let number = 0; number < 500; number += 1) outbox.add(`${number % 7}`, 'x');
    expect(() => outbox.add('1', 'x')).toThrow(
      expect.objectContaining({ code: 'outbox_full', retryable: true }),
    );
  });
});
