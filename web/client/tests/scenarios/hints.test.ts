/** A server that will stop tells its clients when to come back: they leave before it does. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, shown, World, waiting } from '../support/world.js';

virtualTime();

async function hinted(inMs: number) {
  const world = new World();
  world.server.post('1', 'bob', 'before');
  const entered = await world.entered();
  const states: string[] = [];
  entered.client.connection.subscribe(() => states.push(entered.client.connection.get().state));
  world.server.hint(inMs);
  return { world, server: world.server, states, ...entered };
}

describe('a hint to reconnect', () => {
  it('is followed at the time that it names, and not before', async () => {
    const { server, client } = await hinted(4_000);
    await pass(3_900);
    expect(server.sockets).toHaveLength(1);
    await pass(100 + MOMENT_MS);
    expect(server.sockets).toHaveLength(2);
    expect(server.live).toHaveLength(1);
    expect(client.connection.get()).toMatchObject({ state: 'online', attempt: 0, lostAt: null });
  });

  it('costs no moment without a connection, and no message', async () => {
    const { server, room, states } = await hinted(1_000);
    await pass(990);
    // The old one serves while the new one is opened; what comes in between comes once.
    for (let number = 0; number < 20; number += 1) {
      server.post('1', 'bob', `${number}`);
      room.send(`mine ${number}`);
      await pass(5);
    }
    await pass(1_000);
    expect(server.sockets).toHaveLength(2);
    expect(new Set(states)).toEqual(new Set(states.length > 0 ? ['online'] : []));
    const log = server.room('1').contents;
    expect(shown(room)).toEqual(log);
    expect(log).toHaveLength(41);
    expect(waiting(room)).toEqual([]);
    const [, subscribed] = server.sent('/topic/rooms/1');
    expect(subscribed?.headers['x-since']).toBeDefined();
    expect(server.connections[0]?.sent('DISCONNECT')).toHaveLength(1);
    expect(server.connections[0]?.closedWith).toBe(1000);
  });

  it('sends again what had no receipt by then', async () => {
    const { server, room } = await hinted(1_000);
    server.trouble('/app/message', 'ignored', 1);
    room.send('lost on the way');
    await pass(1_000 + 2 * MOMENT_MS);
    expect(server.sent('/app/message')).toHaveLength(2);
    expect(shown(room)).toEqual(['before', 'lost on the way']);
    expect(waiting(room)).toEqual([]);
  });

  it('that cannot be followed leaves the connection as it is, until the server closes it', async () => {
    const { server, client, room } = await hinted(1_000);
    server.reachable = false;
    await pass(1_500);
    expect(server.sockets).toHaveLength(2);
    expect(client.connection.get().state).toBe('online');
    server.post('1', 'bob', 'still here');
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['before', 'still here']);
    server.reachable = true;
    server.drop(1012);
    await pass(10);
    expect(client.connection.get()).toMatchObject({ state: 'reconnecting', attempt: 1 });
    await pass(100 + 500 + MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
    expect(room.get().live).toBe(true);
  });

  it('is overtaken by a close: the connection that is being opened is the next one', async () => {
    const { server, client, room } = await hinted(1_000);
    server.trouble('CONNECT', 'ignored', 1);
    await pass(1_500);
    expect(server.sockets).toHaveLength(2);
    server.drop(1012);
    await pass(10);
    expect(client.connection.get()).toMatchObject({
      state: 'reconnecting',
      disconnect: { code: 1012 },
    });
    // It is given up after 10 s without CONNECTED, and tried again like any other.
    await pass(10_000 + 500 + MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
    expect(room.get().live).toBe(true);
    expect(server.live).toHaveLength(1);
  });

  it('may come again, from the next server', async () => {
    const { server, client } = await hinted(1_000);
    await pass(1_000 + MOMENT_MS);
    server.hint(2_000);
    await pass(2_000 + MOMENT_MS);
    expect(server.sockets).toHaveLength(3);
    expect(server.live).toHaveLength(1);
    expect(client.connection.get().state).toBe('online');
  });

  it('means nothing to a client that has left by then', async () => {
    const { server, client } = await hinted(1_000);
    client.close();
    await pass(60_000);
    expect(server.sockets).toHaveLength(1);
    expect(client.connection.get().state).toBe('idle');
  });

  it('while the next connection is opened, letting go closes both', async () => {
    const { server, client } = await hinted(1_000);
    server.trouble('CONNECT', 'ignored', 1);
    await pass(1_500);
    client.close();
    await pass(60_000);
    expect(server.sockets).toHaveLength(2);
    expect(server.live).toHaveLength(0);
    expect(client.connection.get().state).toBe('idle');
  });
});
