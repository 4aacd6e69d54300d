/** A room's log is replaced by another one: reset, or restored to what it was before. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, postMany, shown, World } from '../support/world.js';

virtualTime();

const RECONNECTED_MS = 600;

describe('a new epoch', () => {
  it('lets the room begin anew, from what the new log holds', async () => {
    const world = new World();
    postMany(world, 1, 5);
    const { room } = await world.entered();
    world.server.reset('1', 'e2');
    world.server.post('1', 'bob', 'of the new log');
    await pass(10);
    expect(shown(room)).toHaveLength(5);
    await pass(RECONNECTED_MS);
    expect(room.get().messages).toEqual(world.server.room('1').messages);
    expect(room.get()).toMatchObject({ status: 'ready', error: null });
    world.server.post('1', 'bob', 'and the next');
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['of the new log', 'and the next']);
    expect(room.get().messages[0]).toMatchObject({ epoch: 'e2', offset: 1 });
  });

  it('is noticed by a message too, should the connection have lived on', async () => {
    const world = new World();
    postMany(world, 1, 5);
    const { room } = await world.entered();
    world.server.room('1').reset('e2');
    postMany(world, 6, 7);
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['6', '7']);
  });

  it('is noticed by a page of history too', async () => {
    const world = new World();
    postMany(world, 1, 60);
    const { room } = await world.entered();
    world.server.room('1').reset('e2');
    world.server.room('1').store('bob', 'new');
    void room.loadOlder();
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['new']);
  });

  it('lets the read marker begin anew too', async () => {
    const world = new World();
    postMany(world, 1, 5);
    const { room } = await world.entered();
    room.markRead();
    await pass(1_000);
    world.server.reset('1', 'e2');
    postMany(world, 6, 7);
    await pass(RECONNECTED_MS);
    room.markRead();
    await pass(1_000);
    expect(world.server.room('1').read.get('alice')).toBe(2);
  });

  it('shows a message of one’s own once: in the log, not in the outbox too', async () => {
    const world = new World();
    postMany(world, 1, 5);
    const { room } = await world.entered();
    world.server.trouble('/app/message', 'no receipt', 1);
    room.send('mine');
    await pass(2);
    world.server.room('1').reset('e2');
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['mine']);
    expect(room.get().outbox).toEqual([]);
  });

  it('is another log also where it only lost its end', async () => {
    const world = new World();
    postMany(world, 1, 5);
    const { room } = await world.entered();
    world.server.drop();
    await pass(10);
    world.server.room('1').messages.length = 3;
    world.server.post('1', 'bob', 'another 4');
    await pass(RECONNECTED_MS);
    expect(shown(room)).toEqual(['1', '2', '3', 'another 4']);
  });
});
