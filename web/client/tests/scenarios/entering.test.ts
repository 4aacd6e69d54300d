/** Entering a room opens the socket, leaving the last one closes it. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, shown, World } from '../support/world.js';

virtualTime();

describe('entering', () => {
  it('opens one socket, and shows the newest page and what comes then', async () => {
    const world = new World();
    for (let number = 1; number <= 60; number += 1) world.server.post('1', 'bob', `old ${number}`);
    const { client, room } = await world.entered();
    world.server.post('1', 'bob', 'new');
    await pass(MOMENT_MS);

    expect(world.server.sockets.map((socket) => socket.url)).toEqual(['wss://chat.test/allibe-ws']);
    expect(world.server.sockets[0]?.protocols).toEqual(['v12.stomp']);
    expect(client.connection.get()).toMatchObject({ state: 'online', attempt: 0, lostAt: null });
    expect(room.get()).toMatchObject({ status: 'ready', live: true, hasOlder: true, error: null });
    expect(shown(room)).toHaveLength(51);
    expect(shown(room)).toContain('old 11');
    expect(shown(room).at(-1)).toBe('new');
  });

  it('subscribes to the errors before anything that can be refused', async () => {
    const world = new World();
    await world.entered();
    const destinations = world.server.sent('SUBSCRIBE').map((frame) => frame.headers.destination);
    expect(destinations).toEqual([
      '/user/queue/errors',
      '/user/queue/rooms',
      '/user/queue/notifications',
      '/topic/rooms/1',
      '/topic/rooms/1/activity',
    ]);
    expect(world.server.sent('CONNECT')[0]?.headers).toMatchObject({
      Authorization: world.desk.given[0],
      'x-soft-errors': 'true',
      'heart-beat': '10000,10000',
    });
  });

  it('shows an empty room as ready', async () => {
    const { room } = await new World().entered();
    expect(room.get()).toMatchObject({ status: 'ready', messages: [], hasOlder: false });
  });

  it('loads older pages on request, up to the first message', async () => {
    const world = new World();
    for (let number = 1; number <= 120; number += 1) world.server.post('1', 'bob', `${number}`);
    const { room } = await world.entered();
    for (const expected of [100, 120]) {
      void room.loadOlder();
      expect(room.get().loadingOlder).toBe(true);
      await pass(MOMENT_MS);
      expect(room.get().messages).toHaveLength(expected);
    }
    expect(room.get()).toMatchObject({ hasOlder: false, loadingOlder: false, olderError: null });
    expect(room.get().messages).toEqual(world.server.room('1').messages);
  });

  it('keeps the read marker as it was on entering', async () => {
    const world = new World();
    for (const content of ['a', 'b', 'c']) world.server.post('1', 'bob', content);
    world.server.room('1').read.set('alice', 1);
    const { room } = await world.entered();
    room.markRead();
    await pass(1_000);
    expect(world.server.room('1').read.get('alice')).toBe(3);
    expect(room.get()).toMatchObject({ readOffsetOnEntry: 1, room: { name: 'Room 1' } });
  });

  it('uses the same socket for a second room', async () => {
    const world = new World();
    world.server.room('2');
    const { client } = await world.entered();
    const second = client.enter('2');
    await pass(MOMENT_MS);
    expect(second.get()).toMatchObject({ status: 'ready', live: true });
    expect(world.server.sockets).toHaveLength(1);
  });

  it('gives the same room to all who enter it', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    expect(client.enter('1')).toBe(room);
    await pass(MOMENT_MS);
    expect(world.server.sent('/topic/rooms/1')).toHaveLength(1);
  });
});

describe('leaving', () => {
  it('unsubscribes, tells the others, and ends the connection with DISCONNECT', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    room.leave();
    await pass(MOMENT_MS);
    const [connection] = world.server.connections;
    expect(connection?.frames.slice(-3).map((one) => one.command)).toEqual([
      'UNSUBSCRIBE',
      'SEND',
      'DISCONNECT',
    ]);
    expect(world.server.leaves).toEqual([{ user: 'alice', roomId: '1' }]);
    expect(connection?.closedWith).toBe(1000);
    expect(client.connection.get()).toMatchObject({ state: 'idle', disconnect: null });
  });

  it('keeps the room until the last one has left who entered it', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    client.enter('1');
    room.leave();
    await pass(MOMENT_MS);
    expect(room.get().live).toBe(true);
    room.leave();
    await pass(MOMENT_MS);
    expect(world.server.live).toHaveLength(0);
  });

  it('changes nothing when it is said once too often', async () => {
    const world = new World();
    world.server.room('2');
    const { client, room } = await world.entered();
    client.enter('2');
    room.leave();
    room.leave();
    await pass(MOMENT_MS);
    room.leave();
    const again = client.enter('1');
    await pass(MOMENT_MS);
    expect(again).not.toBe(room);
    expect(again.get().live).toBe(true);
    room.leave();
    await pass(MOMENT_MS);
    expect(again.get().live).toBe(true);
  });

  it('keeps everything as it is when the room is entered again in the same turn', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const [connection] = world.server.connections;
    const frames = connection?.frames.length;
    room.leave();
    expect(client.enter('1')).toBe(room);
    await pass(MOMENT_MS);
    expect(connection?.frames).toHaveLength(frames ?? 0);
    expect(world.server.live).toHaveLength(1);
  });

  it('keeps the socket when another room is entered in the same turn', async () => {
    const world = new World();
    world.server.room('2');
    const { client, room } = await world.entered();
    room.leave();
    const next = client.enter('2');
    await pass(MOMENT_MS);
    expect(world.server.sockets).toHaveLength(1);
    expect(next.get().live).toBe(true);
    expect(world.server.leaves).toEqual([{ user: 'alice', roomId: '1' }]);
    expect([...(world.server.live[0]?.subscriptions.values() ?? [])]).not.toContain(
      '/topic/rooms/1',
    );
  });

  it('opens a new socket when a room is entered while the old one says good-bye', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    room.leave();
    await pass();
    const again = client.enter('1');
    await pass(MOMENT_MS);
    expect(world.server.sockets).toHaveLength(2);
    expect(world.server.live).toHaveLength(1);
    expect(again.get().live).toBe(true);
  });

  it('drops the attempt when the room is left before there is a connection', async () => {
    const world = new World();
    const client = world.client();
    const room = client.enter('1');
    await pass(1);
    room.leave();
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('idle');
    expect(world.server.live).toHaveLength(0);
  });

  it('for good leaves a room that takes no message, and brings no socket back', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    room.leave();
    // In the same turn the room may still be entered again.
    room.send('in passing');
    await pass(MOMENT_MS);
    expect(world.server.room('1').contents).toEqual(['in passing']);
    expect(() => room.send('too late')).toThrow(expect.objectContaining({ code: 'left' }));
    room.reload();
    room.markRead();
    void room.loadOlder();
    await pass(60_000);
    expect(client.connection.get().state).toBe('idle');
    expect(world.server.sockets).toHaveLength(1);
    expect(world.storage).toHaveLength(0);
    const again = client.enter('1');
    again.send('once more');
    await pass(MOMENT_MS);
    expect(shown(again)).toEqual(['in passing', 'once more']);
  });

  it('drops the socket where the good-bye is not answered', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.trouble('DISCONNECT', 'ignored');
    room.leave();
    await pass(1_900);
    expect(world.server.live).toHaveLength(1);
    await pass(200);
    expect(world.server.live).toHaveLength(0);
  });
});

describe('what was read before leaving', () => {
  it('is read on entering again, though the server does not know it yet', async () => {
    const world = new World();
    for (const content of ['one', 'two']) world.server.post('1', 'bob', content);
    const { client, room } = await world.entered();
    const close = client.rooms.open();
    expect(room.get()).toMatchObject({ readOffsetOnEntry: 0 });
    room.markRead();
    room.leave();
    await pass(MOMENT_MS);
    world.server.room('1').read.delete('alice');
    const again = client.enter('1');
    await pass(MOMENT_MS);
    expect(again.get()).toMatchObject({ readOffsetOnEntry: 2, room: { unreadCount: 0 } });
    void client.rooms.reload();
    await pass(MOMENT_MS);
    expect(client.rooms.get()).toMatchObject({ unreadCount: 0 });
    close();
  });
});
