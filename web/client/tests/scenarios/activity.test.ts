/** Activity over a whole client: with the room, and only as long as that is on the screen. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, World } from '../support/world.js';

virtualTime();

const PRESENCE = { type: 'presence', count: 2, users: ['alice', 'bob'] };

describe('activity', () => {
  it('comes with the room, comes back with the connection, and goes with the room', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const passed: string[] = [];
    client.on('activity', ({ type }) => passed.push(type));
    world.server.passBy('1', PRESENCE);
    await pass(MOMENT_MS);
    expect(room.activity.get().users).toEqual(['alice', 'bob']);
    world.server.drop();
    await pass(3_000);
    expect(room.activity.get().users).toBeNull();
    await pass(60_000);
    world.server.markRead('1', 'bob', 0);
    world.server.passBy('1', { type: 'typing', user: 'bob' });
    await pass(MOMENT_MS);
    expect(room.activity.get().typing).toEqual([{ user: 'bob', name: null }]);
    world.server.post('1', 'bob', 'Hi');
    await pass(MOMENT_MS);
    expect(room.activity.get().typing).toEqual([]);
    expect(passed).toEqual(['presence', 'typing']);
    const stay = client.rooms.watch();
    room.leave();
    await pass(MOMENT_MS);
    const left = [...(world.server.live[0]?.subscriptions.values() ?? [])];
    expect(left.filter((destination) => destination.startsWith('/topic/'))).toEqual([]);
    stay();
  });

  it('is told of one’s own typing, until the room is left', async () => {
    const world = new World();
    const { room } = await world.entered();
    room.typing();
    room.typing();
    await pass(MOMENT_MS);
    room.leave();
    await pass(MOMENT_MS);
    room.typing();
    await pass(MOMENT_MS);
    expect(world.server.sent('/app/typing').map(({ body }) => JSON.parse(body))).toEqual([
      { roomId: '1' },
    ]);
  });
});
