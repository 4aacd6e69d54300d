/** The server is told when nobody sees the page: only who looks is spared notifications. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, World } from '../support/world.js';

virtualTime();

const told = (world: World) =>
  world.server.connections.map((one) =>
    one.sent('/app/visibility').map(({ body }) => JSON.parse(body)),
  );

describe('visibility', () => {
  it('is told when it changes, and only then', async () => {
    const world = new World();
    await world.entered();
    world.network.change({ online: false });
    world.network.change({ online: true });
    await pass(MOMENT_MS);
    expect(told(world)).toEqual([[]]);
    world.network.change({ visible: false });
    world.network.change({ online: true });
    world.network.change({ visible: true });
    await pass(MOMENT_MS);
    expect(told(world)).toEqual([[{ visible: false }, { visible: true }]]);
  });

  it('is told again on a new connection of a hidden page, before it enters its rooms', async () => {
    const world = new World();
    await world.entered();
    world.network.change({ visible: false });
    await pass(MOMENT_MS);
    world.server.drop();
    await pass(5_000);
    expect(told(world)).toEqual([[{ visible: false }], [{ visible: false }]]);
    const destinations = world.server.connections[1]?.frames.map((one) => one.headers.destination);
    const place = (destination: string) => destinations?.indexOf(destination) ?? -1;
    expect(place('/app/visibility')).toBeGreaterThan(-1);
    expect(place('/app/visibility')).toBeLessThan(place('/topic/rooms/1'));
  });

  it('is told to the connection that takes the place of another, and to no other', async () => {
    const world = new World();
    await world.entered();
    world.network.change({ visible: false });
    world.server.hint(100);
    await pass(100 + MOMENT_MS);
    world.network.change({ visible: true });
    await pass(MOMENT_MS);
    expect(told(world)).toEqual([[{ visible: false }], [{ visible: false }, { visible: true }]]);
  });

  it('is nobody’s business without a connection', async () => {
    const world = new World();
    const { client } = await world.entered();
    client.close();
    await pass(MOMENT_MS);
    expect(world.network.listeners.size).toBe(0);
  });

  it('may be unknown to a server: that is no error', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    world.server.trouble('/app/visibility', { code: 'unknown_destination', retryable: false });
    world.network.change({ visible: false });
    await pass(MOMENT_MS);
    world.server.drop();
    // Longer than an answer may take.
    await pass(20_000);
    expect(errors).toEqual([]);
    expect(room.get().live).toBe(true);
    expect(world.server.sockets).toHaveLength(2);
  });
});
