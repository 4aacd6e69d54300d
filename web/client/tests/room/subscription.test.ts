import { describe, expect, it, vi } from 'vitest';
import { ChatError } from '../../src/errors.js';
import { RoomSubscription, type Subscribed } from '../../src/room/subscription.js';
import { BROKEN, FakeLink, NOT_A_MEMBER, UNAVAILABLE } from '../support/fake-link.js';
import { message } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

function subscribing(position: string | null = null) {
  const received: unknown[] = [];
  const answers: Subscribed[] = [];
  const refused: ChatError[] = [];
  const state = { position };
  const subscription = new RoomSubscription({
    roomId: '1',
    random: () => 0.5,
    position: () => state.position,
    message: (one) => received.push(one),
    subscribed: (answer) => answers.push(answer),
    refused: (error) => refused.push(error),
  });
  const link = new FakeLink();
  subscription.up(link.asLink);
  return { subscription, link, received, answers, refused, state };
}

const ACCEPTED = { 'x-offset': '7', 'x-epoch': 'e1' };

describe('a subscription', () => {
  it('asks for what is new where nothing is known, else for what follows the position', () => {
    const { link } = subscribing();
    expect(link.subscribed[0]).toMatchObject({
      id: 'room-1',
      destination: '/topic/rooms/1',
      headers: {},
    });
    const known = subscribing('1.e1.4');
    expect(known.link.subscribed[0]?.headers).toEqual({ 'x-since': '1.e1.4' });
  });

  it.each([
    [ACCEPTED, true],
    [{ ...ACCEPTED, 'x-recovered': 'true' }, true],
    [{ ...ACCEPTED, 'x-recovered': 'false' }, false],
  ])('is live with its receipt %j, and tells where the log stood', (headers, recovered) => {
    const { subscription, link, answers } = subscribing();
    expect(subscription.isLive()).toBe(false);
    link.accept(headers);
    expect(subscription.isLive()).toBe(true);
    expect(answers).toEqual([{ offset: 7, epoch: 'e1', recovered }]);
  });

  it('hands on entries of the log, also before the receipt, and nothing else', () => {
    const { link, received } = subscribing('1.e1.4');
    link.deliver(message(5));
    link.accept(ACCEPTED);
    link.deliver({ type: 'removed', to: 'alice', roomId: '1' });
    link.deliver(null);
    link.deliver(message(6));
    expect(received).toEqual([message(5), message(6)]);
  });

  it.each([
    ['of another room', message(5, { roomId: '2' })],
    ['at no offset', { ...message(5), offset: undefined }],
    ['at offset 0', message(0)],
    ['between two offsets', message(5.5)],
    ['at an offset that is text', { ...message(5), offset: '5' }],
    ['of no log', { ...message(5), epoch: null }],
  ])('hands on no entry that is %s', (_, body) => {
    const { link, received } = subscribing('1.e1.4');
    link.deliver(body);
    expect(received).toEqual([]);
  });

  it('subscribes anew on the next link, from the position as it is then', () => {
    const { subscription, link, state } = subscribing('1.e1.4');
    link.accept(ACCEPTED);
    subscription.down();
    expect(subscription.isLive()).toBe(false);
    state.position = '1.e1.9';
    const next = new FakeLink();
    subscription.up(next.asLink);
    expect(next.subscribed[0]?.headers).toEqual({ 'x-since': '1.e1.9' });
  });

  it('takes nothing more from a link that is gone', () => {
    const { subscription, link, received, answers, refused } = subscribing();
    subscription.down();
    link.deliver(message(1));
    link.accept(ACCEPTED);
    link.accept({}, NOT_A_MEMBER);
    expect([received, answers, refused]).toEqual([[], [], []]);
  });
});

describe('a subscription that is refused', () => {
  it('for now is tried again on the same link, later each time', async () => {
    const { link } = subscribing();
    // Half a second at least, and half of 1 and of 2.
    for (const [attempt, ms] of [
      [1, 1_000],
      [2, 1_500],
    ] as const) {
      link.accept({}, UNAVAILABLE);
      await pass(ms - 1);
      expect(link.subscribed).toHaveLength(attempt);
      await pass(1);
      expect(link.subscribed).toHaveLength(attempt + 1);
    }
  });

  it('for now waits as long as the server says', async () => {
    const { link } = subscribing();
    link.accept({}, new ChatError('overloaded', 'Later.', true, 9_000));
    await pass(9_499);
    expect(link.subscribed).toHaveLength(1);
    await pass(1);
    expect(link.subscribed).toHaveLength(2);
  });

  it('for now on the next link is tried again soon, however long the last one waited', async () => {
    const { subscription, link } = subscribing();
    for (const ms of [1_000, 1_500]) {
      link.accept({}, UNAVAILABLE);
      await pass(ms);
    }
    subscription.down();
    const next = new FakeLink();
    subscription.up(next.asLink);
    next.accept({}, UNAVAILABLE);
    await pass(999);
    expect(next.subscribed).toHaveLength(1);
    await pass(1);
    expect(next.subscribed).toHaveLength(2);
  });

  it('is not tried again on a link that went away in the meantime', async () => {
    const { subscription, link } = subscribing();
    link.accept({}, UNAVAILABLE);
    subscription.down();
    await pass(60_000);
    expect(link.subscribed).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('for good tells so', () => {
    const { subscription, link, refused } = subscribing();
    link.accept({}, NOT_A_MEMBER);
    expect(refused).toEqual([NOT_A_MEMBER]);
    expect(subscription.isLive()).toBe(false);
  });

  it('for a reason that may pass is tried again, although the same SUBSCRIBE will not do', async () => {
    const { link, refused } = subscribing();
    link.accept({}, new ChatError('too_many_subscriptions', 'Too many.', false));
    await pass(5_000);
    expect(link.subscribed).toHaveLength(2);
    expect(refused).toEqual([]);
  });

  it('by the end of the connection waits for the next one', async () => {
    const { link, refused } = subscribing();
    link.accept({}, BROKEN);
    await pass(60_000);
    expect(link.subscribed).toHaveLength(1);
    expect(refused).toEqual([]);
  });
});

describe('ending', () => {
  it('unsubscribes; leaving also tells the others', () => {
    const ended = subscribing();
    ended.subscription.end();
    expect([ended.link.unsubscribed, ended.link.sent]).toEqual([['room-1'], []]);

    const left = subscribing();
    left.link.accept(ACCEPTED);
    left.subscription.leave();
    expect(left.link.unsubscribed).toEqual(['room-1']);
    expect(left.link.sent).toMatchObject([{ destination: '/app/leave', body: { roomId: '1' } }]);
    expect(left.subscription.isLive()).toBe(false);
  });

  it('without a connection is silent', () => {
    const { subscription, link } = subscribing();
    subscription.down();
    subscription.leave();
    expect([link.unsubscribed, link.sent]).toEqual([[], []]);
  });
});
