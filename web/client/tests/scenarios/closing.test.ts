/** `close()` ends everything: no socket, no timer, no request, no event afterwards. */

import { describe, expect, it, vi } from 'vitest';
import type { ChatClient } from '../../src/index.js';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, World } from '../support/world.js';

virtualTime();

/** Everything that a client can have under way. */
async function busy(world: World): Promise<ChatClient> {
  world.server.room('2');
  world.server.post('1', 'bob', 'hi');
  const { client, room } = await world.entered();
  client.enter('2');
  client.rooms.watch();
  await pass(MOMENT_MS);
  room.markRead();
  room.send('hello');
  return client;
}

function expectNothing(world: World): void {
  expect(vi.getTimerCount()).toBe(0);
  expect(world.server.live).toHaveLength(0);
  expect(world.server.sockets.map((socket) => socket.readyState)).toEqual(
    world.server.sockets.map(() => 3),
  );
  expect(world.network.listeners.size).toBe(0);
}

describe('closing', () => {
  it('ends the connection and all timers, with a good-bye to the rooms', async () => {
    const world = new World();
    const client = await busy(world);
    client.close();
    await pass(MOMENT_MS);
    expectNothing(world);
    expect(client.connection.get().state).toBe('idle');
    expect(client.rooms.get()).toMatchObject({ status: 'idle', rooms: [], unreadCount: 0 });
    expect(world.server.leaves.map((one) => one.roomId)).toEqual(['1', '2']);
    expect(world.server.sent('DISCONNECT')).toHaveLength(1);
  });

  it.each([
    ['between two attempts', async (world: World) => world.server.drop()],
    [
      'while it waits for CONNECTED',
      async (world: World) => {
        world.server.trouble('CONNECT', 'ignored');
        world.server.drop();
        await pass(700);
      },
    ],
    ['after a refusal', async (world: World) => world.server.drop(4405)],
    [
      'while a message is tried again and again',
      async (world: World) => {
        const refusal = { code: 'overloaded', retryable: true, retryAfterMs: 60_000 };
        world.server.trouble('/app/message', refusal);
        await pass(MOMENT_MS);
      },
    ],
    [
      'while the history is tried again and again',
      async (world: World) => {
        world.server.api.trouble(/messages/, { status: 503 });
        world.server.room('1').loseNext = 1;
        world.server.post('1', 'bob', 'lost');
        world.server.post('1', 'bob', 'not lost');
        await pass(MOMENT_MS);
      },
    ],
    [
      'while a subscription is tried again and again',
      async (world: World) => {
        world.server.trouble('/topic/rooms/1', { code: 'store_unavailable', retryable: true });
        world.server.drop();
        await pass(700);
      },
    ],
  ])('%s leaves nothing behind', async (_, happens) => {
    const world = new World();
    const client = await busy(world);
    await happens(world);
    await pass(10);
    client.close();
    await pass(MOMENT_MS);
    expectNothing(world);
  });

  it('leaves nothing behind where the good-bye is not answered', async () => {
    const world = new World();
    const client = await busy(world);
    world.server.trouble('DISCONNECT', 'ignored');
    client.close();
    await pass(2_000 + MOMENT_MS);
    expectNothing(world);
  });

  it('while a token is waited for opens nothing when it comes', async () => {
    const world = new World();
    const waiting = await world.entered();
    world.server.reachable = false;
    world.server.drop();
    await pass(10);
    waiting.room.send('kept');
    waiting.client.close();
    await pass(MOMENT_MS);
    world.server.heal();
    const sockets = world.server.sockets.length;

    const getToken = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return world.desk.getToken({ fresh: false });
    };
    const client = world.client({ getToken });
    client.enter('1');
    client.rooms.open();
    await pass(500);
    client.close();
    await pass(60_000);
    expect(world.server.sockets).toHaveLength(sockets);
    expectNothing(world);
    expect(world.server.room('1').contents).toEqual([]);
  });

  it('while the list is loaded leaves it empty', async () => {
    const world = new World();
    world.server.api.delayMs = 1_000;
    const client = world.client();
    client.rooms.open();
    await pass(500);
    client.close();
    await pass(5_000);
    expect(client.rooms.get()).toMatchObject({ status: 'idle', rooms: [] });
    expectNothing(world);
  });

  it('lets no event through afterwards', async () => {
    const world = new World();
    const client = await busy(world);
    const told: string[] = [];
    for (const kind of ['message', 'notification', 'error'] as const) {
      client.on(kind, () => told.push(kind));
    }
    await pass(MOMENT_MS);
    told.length = 0;
    world.server.room('3');
    world.server.post('1', 'bob', 'too late');
    world.server.post('3', 'bob', 'too late');
    world.server.tell('alice', 'errors', { code: 'overloaded', message: '', retryable: true });
    client.close();
    await pass(MOMENT_MS);
    expect(told).toEqual([]);
  });

  it('makes what is left of the hooks harmless: leaving, reading, ending', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const end = client.rooms.watch();
    client.close();
    room.leave();
    room.markRead();
    end();
    await pass(MOMENT_MS);
    expectNothing(world);
  });

  it.each(['send', 'resend'] as const)(
    'is not undone by a room that is still held: %s',
    async (what) => {
      const world = new World();
      const { client, room } = await world.entered();
      world.server.trouble('/app/message', { code: 'rejected', retryable: false }, 1);
      const { clientMessageId } = room.send('bad');
      await pass(MOMENT_MS);
      client.close();
      const stored = world.storage.length;
      const requests = world.server.api.requests.length;
      const left = expect.objectContaining({ code: 'left', retryable: false });
      if (what === 'send') expect(() => room.send('after the end')).toThrow(left);
      else room.resend(clientMessageId);
      client.retry();
      world.network.change({ online: true });
      await pass(60_000);
      expectNothing(world);
      expect(client.connection.get().state).toBe('idle');
      expect(world.server.sockets).toHaveLength(1);
      expect(world.server.api.requests).toHaveLength(requests);
      expect(world.storage).toHaveLength(stored);
    },
  );

  it('is not undone by a token that comes for what was asked after it', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.reachable = false;
    world.server.drop();
    await pass(10);
    room.send('waits');
    client.close();
    await pass(MOMENT_MS);
    world.server.heal();
    world.server.api.trouble(/rooms/, { status: 401 }, 1);
    void client.http.rooms();
    await pass(60_000);
    expect(world.desk.requests).toHaveLength(2);
    expectNothing(world);
    expect(world.server.room('1').contents).toEqual([]);
    expect(world.storage).toHaveLength(1);
  });

  it('can be followed by entering again', async () => {
    const world = new World();
    const client = await busy(world);
    await pass(MOMENT_MS);
    client.close();
    const room = client.enter('1');
    const end = client.rooms.watch();
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
    expect(client.rooms.get()).toMatchObject({ status: 'ready' });
    room.send('back');
    await pass(MOMENT_MS);
    expect(world.server.room('1').contents).toEqual(['hi', 'hello', 'back']);
    room.leave();
    end();
    await pass(MOMENT_MS);
    expectNothing(world);
  });
});
