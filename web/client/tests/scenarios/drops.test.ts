/** The connection ends: for every code of the server's table, what the client does. */

import { describe, expect, it } from 'vitest';
import { DISCONNECTS } from '../../src/index.js';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, shown, World } from '../support/world.js';

virtualTime();

// `random` is 0.5, and the first failure in a row: half of one second.
const JITTER_MS = 500;

const COMING_BACK = [
  ...DISCONNECTS.filter((one) => one.reconnect),
  { code: 1006, reason: 'the network breaks', delayMs: 0, newToken: false },
  { code: 4999, reason: 'a code of tomorrow', delayMs: 0, newToken: false },
];
const FINAL = DISCONNECTS.filter((one) => !one.reconnect && one.code !== 1000);

describe.each(COMING_BACK)('a drop with $code ($reason)', ({ code, delayMs, newToken }) => {
  it('is followed by a new connection in time, which takes up where the old one ended', async () => {
    const world = new World();
    const { server } = world;
    server.post('1', 'bob', 'before');
    const { client, room } = await world.entered();
    await pass(6_000);
    server.drop(code);
    await pass(10);
    expect(client.connection.get()).toMatchObject({
      state: 'reconnecting',
      attempt: 1,
      disconnect: { code },
    });
    expect(room.get()).toMatchObject({ status: 'ready', live: false });
    server.post('1', 'bob', 'missed');

    await pass(delayMs + JITTER_MS - 50);
    expect(server.sockets).toHaveLength(1);
    await pass(MOMENT_MS + 50);
    expect(client.connection.get()).toMatchObject({ state: 'online', disconnect: null });
    expect(server.sent('/topic/rooms/1').at(-1)?.headers['x-since']).toBe('1.e1.1');
    expect(shown(room)).toEqual(['before', 'missed']);
    expect(world.desk.requests.map((one) => one.fresh)).toEqual(newToken ? [false, true] : [false]);
    const tokens = server.sent('CONNECT').map((frame) => frame.headers.Authorization);
    expect(tokens[0] === tokens[1]).toBe(!newToken);
  });
});

describe.each(FINAL)('a drop with $code ($reason)', ({ code, reason }) => {
  it('is final until the user says otherwise', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.drop(code);
    await pass(3_600_000);
    expect(world.server.sockets).toHaveLength(1);
    expect(client.connection.get()).toMatchObject({
      state: 'refused',
      retryAt: null,
      disconnect: { code, reason },
    });
    client.retry();
    expect(client.connection.get().state).toBe('reconnecting');
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
    expect(room.get().live).toBe(true);
  });
});

describe('a drop with 1000 that nobody asked for', () => {
  it('is no good-bye: the client comes back', async () => {
    const world = new World();
    const { client } = await world.entered();
    world.server.drop(1000);
    await pass(JITTER_MS + MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
    expect(world.server.sockets).toHaveLength(2);
  });
});

describe('a server that cannot be reached', () => {
  it('is tried at growing intervals, up to half a minute at random', async () => {
    const world = new World();
    const { client } = await world.entered();
    world.server.reachable = false;
    world.server.drop();
    const attempts: number[] = [];
    const seen = new Set<number>();
    for (let second = 0; second < 200; second += 1) {
      await pass(1_000);
      const count = world.server.sockets.length;
      if (!seen.has(count)) attempts.push(second);
      seen.add(count);
    }
    // 0.5, 1, 2, 4, 8, then 15 s apart.
    expect(attempts.slice(0, 8)).toEqual([0, 1, 3, 7, 15, 30, 45, 60]);
    expect(client.connection.get().attempt).toBeGreaterThan(8);

    world.server.heal();
    await pass(16_000);
    expect(client.connection.get().state).toBe('online');
    // It was up for five seconds: the next wait is a short one again.
    await pass(6_000);
    world.server.drop();
    await pass(JITTER_MS + MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
  });

  it('says since when, and when the next attempt is', async () => {
    const world = new World();
    const { client } = await world.entered();
    world.server.drop();
    await pass(5);
    const lostAt = Date.now();
    expect(client.connection.get()).toMatchObject({ lostAt, retryAt: lostAt + JITTER_MS });
    world.server.reachable = false;
    await pass(3_000);
    expect(client.connection.get().lostAt).toBe(lostAt);
  });

  it('does not answer CONNECT: the client gives up after 10 s, and tries again', async () => {
    const world = new World();
    world.server.trouble('CONNECT', 'ignored', 1);
    const client = world.client();
    client.enter('1');
    await pass(9_900);
    expect(client.connection.get().state).toBe('connecting');
    await pass(200);
    expect(client.connection.get()).toMatchObject({ state: 'reconnecting', attempt: 1 });
    await pass(JITTER_MS + MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
    expect(world.server.live).toHaveLength(1);
  });

  it('may be one that the page may not open a socket to: only the user tries again', async () => {
    const world = new World();
    let tries = 0;
    const { client, room } = await world.entered({
      webSocket: (...to) => {
        tries += 1;
        if (tries > 1) return world.server.webSocket(...to);
        throw new DOMException('Not allowed here.', 'SecurityError');
      },
    });
    expect(client.connection.get()).toMatchObject({
      state: 'refused',
      retryAt: null,
      disconnect: { code: 1006, reason: 'SecurityError: Not allowed here.' },
    });
    expect(room.get()).toMatchObject({ status: 'ready', live: false });
    world.network.change({ online: true });
    await pass(600_000);
    expect(tries).toBe(1);
    client.retry();
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
  });
});

describe('heart-beats', () => {
  it('keep a connection up on which nothing is said', async () => {
    const world = new World();
    const { client } = await world.entered();
    await pass(600_000);
    expect(client.connection.get().state).toBe('online');
    expect(world.server.sockets).toHaveLength(1);
  });

  it('that do not come for two intervals end the connection, and a new one is made', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.live[0]?.cut();
    world.server.post('1', 'bob', 'into the void');
    await pass(19_000);
    expect(client.connection.get().state).toBe('online');
    await pass(12_000);
    expect(world.server.sockets).toHaveLength(2);
    expect(client.connection.get().state).toBe('online');
    expect(shown(room)).toEqual(['into the void']);
  });

  it('are not asked for where the caller wants none', async () => {
    const world = new World();
    const { client } = await world.entered({ heartBeatMs: 0 });
    expect(world.server.sent('CONNECT')[0]?.headers['heart-beat']).toBe('0,0');
    await pass(600_000);
    expect(client.connection.get().state).toBe('online');
  });
});

describe('the network', () => {
  it('that comes back ends the wait at once', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.reachable = false;
    world.server.drop();
    world.network.change({ online: false });
    await pass(20_000);
    expect(client.connection.get().state).toBe('offline');
    world.server.reachable = true;
    await pass(100);
    expect(world.server.live).toHaveLength(0);
    world.network.change({ online: true });
    expect(client.connection.get().state).toBe('reconnecting');
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
    expect(room.get().live).toBe(true);
  });

  it('that is said to be gone forbids no attempt', async () => {
    const world = new World();
    world.network.change({ online: false });
    const { client } = await world.entered();
    expect(client.connection.get().state).toBe('online');
  });

  it('is tried at once when the page is looked at again', async () => {
    const world = new World();
    const { client } = await world.entered();
    world.network.change({ visible: false });
    world.server.reachable = false;
    world.server.drop();
    await pass(20_000);
    world.server.reachable = true;
    await pass(100);
    expect(client.connection.get().state).toBe('reconnecting');
    world.network.change({ visible: true });
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
  });

  it('that changes, or a page that is looked at, wakes nobody before the server wants', async () => {
    const world = new World();
    const { client } = await world.entered({ random: () => 0.999 });
    world.server.drop(1013);
    await pass(5);
    const closedAt = Date.now();
    // A tab that is looked at and left again, twice a second, on a network that flickers.
    for (let time = 0; time < 9; time += 1) {
      world.network.change({ visible: false, online: false });
      world.network.change({ visible: true, online: true });
      await pass(500);
      expect(client.connection.get()).toMatchObject({ retryAt: closedAt + 5_000 });
    }
    await pass(499);
    expect(world.server.sockets).toHaveLength(1);
    await pass(1);
    expect(world.server.sockets).toHaveLength(2);
    await pass(60_000);
    expect(world.server.sockets).toHaveLength(2);
    expect(client.connection.get().state).toBe('online');
  });

  it('is not listened to while no connection is needed', async () => {
    const world = new World();
    const { room } = await world.entered();
    expect(world.network.listeners.size).toBeGreaterThan(0);
    room.leave();
    await pass(MOMENT_MS);
    expect(world.network.listeners.size).toBe(0);
  });
});
