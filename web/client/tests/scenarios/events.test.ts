/** What the client tells of besides snapshots: messages and notifications. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, shown, World } from '../support/world.js';

virtualTime();

describe('a message', () => {
  it('is told of where its room is entered, and notified of where it is not', async () => {
    const world = new World();
    world.server.room('2');
    const { client } = await world.entered();
    const told: string[] = [];
    client.on('message', (message) => told.push(`message ${message.content}`));
    client.on('notification', ({ roomId, unreadCount, message }) => {
      told.push(`notification ${roomId} ${message.content} ${unreadCount}`);
    });
    world.server.post('1', 'bob', 'here');
    world.server.post('2', 'bob', 'there');
    await pass(MOMENT_MS);
    expect(told).toEqual(['message here', 'notification 2 there 1']);
  });

  it('that was there on entering is told of by no event', async () => {
    const world = new World();
    world.server.post('1', 'bob', 'old');
    const client = world.client();
    const told: string[] = [];
    client.on('message', (message) => told.push(message.content));
    client.enter('1');
    await pass(MOMENT_MS);
    expect(told).toEqual([]);
  });

  it('is told of no more to a listener that has ended', async () => {
    const world = new World();
    const { client } = await world.entered();
    const told: string[] = [];
    const end = client.on('message', (message) => told.push(message.content));
    world.server.post('1', 'bob', 'heard');
    await pass(MOMENT_MS);
    end();
    world.server.post('1', 'bob', 'unheard');
    await pass(MOMENT_MS);
    expect(told).toEqual(['heard']);
  });
});

describe('snapshots', () => {
  it('are the same object until something changes', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const before = [room.get(), client.connection.get(), client.rooms.get()];
    expect([room.get(), client.connection.get(), client.rooms.get()]).toEqual(before);
    expect(room.get()).toBe(before[0]);
    expect(client.connection.get()).toBe(before[1]);
    world.server.post('1', 'bob', 'new');
    await pass(MOMENT_MS);
    expect(room.get()).not.toBe(before[0]);
    expect(before[0]).toMatchObject({ messages: [] });
    expect(shown(room)).toEqual(['new']);
  });

  it('are told of once for everything that came together', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.drop();
    await pass(10);
    for (let number = 0; number < 100; number += 1) world.server.post('1', 'bob', `${number}`);
    let told = 0;
    room.subscribe(() => {
      told += 1;
    });
    await pass(600);
    expect(shown(room)).toHaveLength(100);
    expect(told).toBeLessThanOrEqual(5);
  });
});
