/** What passes by in a room: known while there is a connection, faded by itself. */

import { describe, expect, it } from 'vitest';
import { RoomActivity } from '../../src/room/activity.js';
import type { ActivityEvent } from '../../src/types.js';
import { BROKEN, FakeLink, NOT_A_MEMBER, UNAVAILABLE } from '../support/fake-link.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

const PRESENCE = { type: 'presence', roomId: '1', count: 2, users: ['alice', 'bob'] };
const TYPING = { type: 'typing', roomId: '1', user: 'bob', userName: 'Bob' };
const BOB = { user: 'bob', name: 'Bob' };
const NOTHING = { users: null, count: null, typing: [], readOffsets: new Map() };

function active() {
  const link = new FakeLink();
  const happened: ActivityEvent[] = [];
  const activity = new RoomActivity({
    roomId: '1',
    random: () => 0.5,
    user: () => 'alice',
    happened: (event) => happened.push(event),
  });
  activity.up(link.asLink);
  return { link, activity, happened };
}

describe('who is here', () => {
  it('is what was told last', () => {
    const { link, activity, happened } = active();
    expect(activity.get()).toEqual(NOTHING);
    link.passBy(PRESENCE);
    expect(activity.get()).toMatchObject({ count: 2, users: ['alice', 'bob'] });
    link.passBy({ type: 'presence', roomId: '1', count: 300 });
    expect(activity.get()).toMatchObject({ count: 300, users: null });
    expect(happened).toHaveLength(2);
  });

  it('is not known without a connection, after 2 s', async () => {
    const { link, activity } = active();
    link.passBy(PRESENCE);
    link.passBy(TYPING);
    activity.down();
    expect(activity.get()).toMatchObject({ count: 2, typing: [] });
    await pass(2_000);
    expect(activity.get()).toEqual(NOTHING);
    link.passBy(PRESENCE);
    expect(activity.get()).toEqual(NOTHING);
  });

  it('stands while the connection is another one at once', async () => {
    const { link, activity } = active();
    link.passBy(PRESENCE);
    activity.down();
    const next = new FakeLink();
    activity.up(next.asLink);
    next.passBy({ ...PRESENCE, count: 1, users: ['alice'] });
    await pass(5_000);
    expect(activity.get()).toMatchObject({ count: 1, users: ['alice'] });
    activity.end();
    expect(activity.get()).toEqual(NOTHING);
  });
});

describe('who types', () => {
  it('does so for 5 s after saying so, and is told once', async () => {
    const { link, activity } = active();
    link.passBy(TYPING);
    await pass(4_000);
    link.passBy(TYPING);
    await pass(4_000);
    expect(activity.get().typing).toEqual([BOB]);
    let told = 0;
    activity.subscribe(() => {
      told += 1;
    });
    await pass(1_000);
    expect(activity.get().typing).toEqual([]);
    expect(told).toBe(1);
  });

  it.each([
    { type: 'left', roomId: '1', user: 'bob' },
    { type: 'member-removed', roomId: '1', user: 'bob' },
  ])('does so no longer after %j', (event) => {
    const { link, activity } = active();
    link.passBy(TYPING);
    link.passBy(event);
    expect(activity.get().typing).toEqual([]);
  });

  it('does so no longer when the message has come', async () => {
    const { link, activity } = active();
    link.passBy(TYPING);
    activity.said('carol');
    expect(activity.get().typing).toEqual([BOB]);
    activity.said('bob');
    expect(activity.get().typing).toEqual([]);
    await pass(6_000);
  });

  it('is another, and of many only some', () => {
    const { link, activity } = active();
    link.passBy({ ...TYPING, user: 'alice' });
    expect(activity.get().typing).toEqual([]);
    for (let n = 0; n < 100; n += 1) link.passBy({ type: 'typing', roomId: '1', user: `u${n}` });
    expect(activity.get().typing).toHaveLength(20);
    expect(activity.get().typing[0]).toEqual({ user: 'u0', name: null });
  });
});

describe('one’s own typing', () => {
  it('is told every 3 s at most, and at once after a message', async () => {
    const { link, activity } = active();
    const told = () => link.sent.filter(({ destination }) => destination === '/app/typing').length;
    for (let ms = 0; ms < 6_000; ms += 100) {
      activity.typing();
      await pass(100);
    }
    expect(told()).toBe(2);
    expect(link.bodies[0]).toEqual({ roomId: '1' });
    activity.typing();
    activity.said('alice');
    activity.typing();
    expect(told()).toBe(4);
  });

  it('is told to nobody without a connection', () => {
    const { link, activity } = active();
    activity.down();
    activity.typing();
    expect(link.sent).toEqual([]);
  });
});

describe('how far others have read', () => {
  const read = (user: string, offset: number) => ({ type: 'read', roomId: '1', user, offset });

  it('goes forward only, and is of others', () => {
    const { link, activity } = active();
    const before = activity.get().readOffsets;
    for (const event of [read('bob', 3), read('bob', 2), read('carol', 1), read('alice', 9)]) {
      link.passBy(event);
    }
    expect([...activity.get().readOffsets]).toEqual([
      ['bob', 3],
      ['carol', 1],
    ]);
    expect(before.size).toBe(0);
  });

  it('outlasts a connection, but neither another log nor a membership', () => {
    const { link, activity } = active();
    link.passBy(read('bob', 3));
    link.passBy(read('carol', 3));
    activity.down();
    activity.up(link.asLink);
    link.passBy({ type: 'member-removed', roomId: '1', user: 'carol' });
    expect([...activity.get().readOffsets.keys()]).toEqual(['bob']);
    activity.reset();
    expect(activity.get().readOffsets.size).toBe(0);
  });
});

describe('the subscription to it', () => {
  it('is made once for each link, and ended', () => {
    const { link, activity } = active();
    activity.up(link.asLink);
    expect(link.subscribed.map(({ destination }) => destination)).toEqual([
      '/topic/rooms/1/activity',
    ]);
    activity.end();
    expect(link.unsubscribed).toEqual(['activity-1']);
  });

  it('is tried again where that may help', async () => {
    const { link, activity } = active();
    link.subscribed[0]?.settle(UNAVAILABLE, {});
    await pass(10_000);
    expect(link.subscribed).toHaveLength(2);
    link.subscribed[1]?.settle(NOT_A_MEMBER, {});
    await pass(60_000);
    expect(link.subscribed).toHaveLength(2);
    activity.down();
    link.subscribed[1]?.settle(BROKEN, {});
    await pass(60_000);
    expect(link.subscribed).toHaveLength(2);
  });

  it.each([
    null,
    'text',
    { ...PRESENCE, roomId: '2' },
    { ...PRESENCE, count: '2' },
    { ...PRESENCE, users: [1] },
    { ...PRESENCE, users: 'bob' },
    { ...TYPING, user: null },
    { type: 'read', roomId: '1', user: 'bob' },
    { type: 'read', roomId: '1', user: 'bob', offset: 1.5 },
    { type: 'waved', roomId: '1', user: 'bob' },
  ])('passes over %j', (body) => {
    const { link, activity, happened } = active();
    link.passBy(body);
    expect(activity.get()).toEqual(NOTHING);
    expect(happened).toEqual([]);
  });
});
