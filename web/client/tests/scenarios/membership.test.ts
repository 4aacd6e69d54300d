/** A user who is put out of a room and invited again, while the room is on screen. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, postMany, shown, World, waiting } from '../support/world.js';

virtualTime();

const RECONNECTED_MS = 600;

async function putOut(world = new World()) {
  postMany(world, 1, 3);
  const { client, room } = await world.entered();
  world.server.remove('1', 'alice');
  await pass(MOMENT_MS);
  expect(room.get().status).toBe('ended');
  return { world, client, room };
}

describe('a user who is invited again', () => {
  it('sees the room as it is now, and what comes, without entering it again', async () => {
    const { world, client, room } = await putOut();
    postMany(world, 4, 5);
    world.server.join('1', 'alice');
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    postMany(world, 6, 6);
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(client.enter('1')).toBe(room);
    expect(world.server.sockets).toHaveLength(1);
    const subscribed = [...(world.server.live[0]?.subscriptions.values() ?? [])];
    expect(subscribed.filter((one) => one === '/topic/rooms/1')).toHaveLength(1);
  });

  it('sends again what was refused, and what is new', async () => {
    const { world, room } = await putOut();
    const { clientMessageId } = room.send('too early');
    await pass(MOMENT_MS);
    expect(waiting(room)).toEqual(['too early failed']);
    world.server.join('1', 'alice');
    room.send('meanwhile');
    await pass(MOMENT_MS);
    room.resend(clientMessageId);
    await pass(MOMENT_MS);
    expect(waiting(room)).toEqual([]);
    expect(shown(room)).toEqual(['1', '2', '3', 'meanwhile', 'too early']);
    room.markRead();
    await pass(MOMENT_MS);
    expect(world.server.room('1').read.get('alice')).toBe(5);
  });

  it('and put out again, and invited again, is in it once', async () => {
    const { world, room } = await putOut();
    for (let time = 4; time < 8; time += 1) {
      world.server.join('1', 'alice');
      await pass(time % 2 === 0 ? MOMENT_MS : 7);
      world.server.remove('1', 'alice');
      await pass(time % 2 === 0 ? MOMENT_MS : 7);
      postMany(world, time, time);
    }
    world.server.join('1', 'alice');
    await pass(1_000);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(shown(room)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  it('is not put out by an answer of before', async () => {
    const world = new World();
    postMany(world, 1, 3);
    const { room } = await world.entered();
    world.server.api.delayMs = 1_000;
    room.reload();
    await pass(100);
    world.server.remove('1', 'alice');
    // In the middle of the way the server says: not a member.
    await pass(600);
    world.server.join('1', 'alice');
    await pass(5_000);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(shown(room)).toEqual(['1', '2', '3']);
  });

  it('and loses the connection at the same time sees it with the next one', async () => {
    const { world, room } = await putOut();
    world.server.join('1', 'alice');
    await pass(7);
    expect(room.get().status).toBe('loading');
    world.server.drop();
    postMany(world, 4, 4);
    await pass(RECONNECTED_MS + MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(shown(room)).toEqual(['1', '2', '3', '4']);
  });

  it('while there is no connection sees it with the next one', async () => {
    const { world, room } = await putOut();
    world.server.drop();
    world.server.room('1').members.add('alice');
    postMany(world, 4, 4);
    await pass(RECONNECTED_MS + 2 * MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(shown(room)).toEqual(['1', '2', '3', '4']);
  });

  it('is not before, whatever the connection does', async () => {
    const { world, room } = await putOut();
    world.server.drop();
    await pass(RECONNECTED_MS + 2 * MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ended', error: { code: 'not_a_member' } });
  });

  it('after leaving the screen of it hears of it in the list only', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    client.rooms.watch();
    world.server.remove('1', 'alice');
    await pass(MOMENT_MS);
    room.leave();
    await pass(MOMENT_MS);
    const requests = world.server.api.asked('/messages').length;
    world.server.join('1', 'alice');
    await pass(MOMENT_MS);
    expect(client.rooms.get().rooms).toMatchObject([{ roomId: '1' }]);
    expect(room.get()).toMatchObject({ status: 'ended', live: false });
    expect(world.server.api.asked('/messages')).toHaveLength(requests);
    expect(client.enter('1')).not.toBe(room);
  });

  it('to another role, while the room is on screen, sees no change', async () => {
    const world = new World();
    postMany(world, 1, 3);
    const { room } = await world.entered();
    const before = room.get();
    world.server.join('1', 'alice');
    await pass(MOMENT_MS);
    expect(room.get()).toBe(before);
    expect(world.server.sent('/topic/rooms/1')).toHaveLength(1);
  });
});
