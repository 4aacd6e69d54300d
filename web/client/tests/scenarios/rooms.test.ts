/** The list of rooms: loaded, kept fresh by events, and without a connection now and then. */

import { describe, expect, it } from 'vitest';
import type { ChatClient } from '../../src/index.js';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, World } from '../support/world.js';

virtualTime();

function ids(client: ChatClient): string[] {
  return client.rooms.get().rooms.map((room) => room.roomId);
}

async function watching(world = new World()) {
  for (const roomId of ['1', '2', '3']) {
    world.server.room(roomId);
    world.server.post(roomId, 'bob', `first in ${roomId}`);
    await pass(1_000);
  }
  const client = world.client();
  const end = client.rooms.watch();
  await pass(MOMENT_MS);
  return { world, client, end };
}

describe('the list of rooms', () => {
  it('comes with the latest activity first, and the sum of what is unread', async () => {
    const { client } = await watching();
    expect(client.rooms.get()).toMatchObject({ status: 'ready', unreadCount: 3, error: null });
    expect(ids(client)).toEqual(['3', '2', '1']);
  });

  it('is read page by page to its end', async () => {
    const world = new World();
    for (let number = 2; number <= 25; number += 1) world.server.room(`${number}`);
    world.server.api.pageSize = 10;
    const client = world.client();
    void client.rooms.reload();
    expect(client.rooms.get().status).toBe('loading');
    await pass(MOMENT_MS);
    expect(client.rooms.get().rooms).toHaveLength(25);
    expect(world.server.api.asked('/rooms').map((one) => one.path)).toEqual([
      '/rooms?limit=500',
      '/rooms?limit=500&after=10',
      '/rooms?limit=500&after=20',
    ]);
  });

  it('follows messages without loading again: order, last message, unread count', async () => {
    const { world, client } = await watching();
    const loads = world.server.api.requests.length;
    world.server.post('1', 'bob', 'news');
    await pass(MOMENT_MS);
    expect(ids(client)).toEqual(['1', '3', '2']);
    expect(client.rooms.get().rooms[0]).toMatchObject({
      lastMessage: 'news',
      lastMessageSender: 'bob',
      unreadCount: 2,
    });
    expect(client.rooms.get().unreadCount).toBe(4);
    expect(world.server.api.requests).toHaveLength(loads);
  });

  it('shows a room that the user came into, and not one that the user is out of', async () => {
    const { world, client } = await watching();
    world.server.room('4', []);
    world.server.join('4', 'alice');
    await pass(MOMENT_MS);
    expect(ids(client)).toEqual(['4', '3', '2', '1']);
    world.server.remove('2', 'alice');
    await pass(MOMENT_MS);
    expect(ids(client)).toEqual(['4', '3', '1']);
  });

  it('takes no room back because an older answer comes late', async () => {
    const { world, client } = await watching();
    world.server.room('4', []);
    world.server.api.delayMs = 1_000;
    world.server.join('4', 'alice');
    await pass(700);
    world.server.remove('4', 'alice');
    await pass(2_000);
    expect(ids(client)).toEqual(['3', '2', '1']);
  });

  it('shows a room that the user has created, at once', async () => {
    const { client } = await watching();
    void client.http
      .createRoom({ name: 'Mine', roomId: 'mine' })
      .then((room) => client.rooms.add(room));
    await pass(MOMENT_MS);
    expect(client.rooms.get().rooms[0]).toMatchObject({ roomId: 'mine', name: 'Mine' });
  });

  it('shows nothing unread in a room that was read on screen, before the server says so', async () => {
    const { world, client } = await watching();
    const room = client.enter('1');
    await pass(MOMENT_MS);
    world.server.trouble('/app/read', 'ignored');
    room.markRead();
    expect(client.rooms.get().rooms.find((one) => one.roomId === '1')).toMatchObject({
      unreadCount: 0,
      readOffset: 1,
    });
    expect(client.rooms.get().unreadCount).toBe(2);
  });

  it('loads again what happened while the connection was broken', async () => {
    const { world, client } = await watching();
    world.server.drop();
    await pass(10);
    world.server.post('2', 'bob', 'meanwhile');
    await pass(1_000);
    expect(ids(client)).toEqual(['2', '3', '1']);
  });

  it('shows what happened while it was being loaded', async () => {
    const { world, client } = await watching();
    world.server.api.delayMs = 1_000;
    void client.rooms.reload();
    await pass(700);
    world.server.post('1', 'bob', 'in between');
    await pass(3_000);
    expect(client.rooms.get().rooms[0]).toMatchObject({ roomId: '1', lastMessage: 'in between' });
  });

  it('is ready after the first answer, however much goes on', async () => {
    const world = new World();
    world.server.api.delayMs = 500;
    const client = world.client();
    client.rooms.watch();
    for (let time = 0; time < 30; time += 1) {
      world.server.post('1', 'bob', `${time}`);
      await pass(100);
    }
    expect(client.rooms.get().status).toBe('ready');
    expect(world.server.api.asked('/rooms?').length).toBeLessThanOrEqual(4);
    await pass(5_000);
    expect(client.rooms.get().rooms[0]?.lastMessage).toBe('29');
  });
});

describe('without a connection', () => {
  it('an open list is loaded every 30 s, while the page is visible', async () => {
    const world = new World();
    const client = world.client();
    const close = client.rooms.open();
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('idle');
    const loads = () => world.server.api.asked('/rooms?').length;
    expect(loads()).toBe(1);
    world.server.post('1', 'bob', 'news');
    await pass(30_000);
    expect(loads()).toBe(2);
    expect(client.rooms.get().rooms[0]?.lastMessage).toBe('news');
    world.network.change({ visible: false });
    await pass(300_000);
    expect(loads()).toBe(2);
    world.network.change({ visible: true });
    await pass(MOMENT_MS);
    expect(loads()).toBe(3);
    close();
    await pass(300_000);
    expect(loads()).toBe(3);
  });

  it('a list that cannot be loaded says so, keeps what was known, and tries again', async () => {
    const world = new World();
    const client = world.client();
    client.rooms.open();
    await pass(MOMENT_MS);
    world.server.api.trouble(/rooms/, 'network');
    await pass(30_000);
    expect(client.rooms.get()).toMatchObject({ status: 'error', error: { code: 'network' } });
    expect(ids(client)).toEqual(['1']);
    world.server.heal();
    await pass(30_000);
    expect(client.rooms.get()).toMatchObject({ status: 'ready', error: null });
  });
});

describe('with a connection', () => {
  it('the list is not loaded every 30 s: events tell', async () => {
    const { world } = await watching();
    const loads = world.server.api.requests.length;
    await pass(300_000);
    expect(world.server.api.requests).toHaveLength(loads);
  });

  it('a list that could not be loaded is tried again all the same', async () => {
    const world = new World();
    world.server.api.trouble(/rooms\?/, { status: 503 });
    const client = world.client();
    client.rooms.watch();
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
    expect(client.rooms.get().status).toBe('error');
    world.server.heal();
    await pass(30_000);
    expect(client.rooms.get().status).toBe('ready');
  });

  it('is there while the list is watched, and no longer', async () => {
    const { world, client, end } = await watching();
    expect(client.connection.get().state).toBe('online');
    end();
    end();
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('idle');
    expect(world.server.live).toHaveLength(0);
  });
});
