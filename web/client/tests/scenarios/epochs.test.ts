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

describe('a log that is reset while it is loaded for the first time', () => {
  /** Enters a room of 100 messages over HTTP that takes 4 s, and is half-way after 2 s. */
  function entering() {
    const world = new World();
    postMany(world, 1, 100);
    world.server.api.delayMs = 4_000;
    const room = world.client().enter('1');
    const statuses: string[] = [];
    room.subscribe(() => statuses.push(`${room.get().status} ${room.get().error?.code ?? ''}`));
    return { world, room, statuses };
  }

  it.each([
    ['and the connection with it', (world: World) => world.server.reset('1', 'e2')],
    ['and the connection lives on', (world: World) => world.server.room('1').reset('e2')],
  ])('%s: no error, and no asking for what is gone', async (_, reset) => {
    const { world, room, statuses } = entering();
    await pass(1_000);
    expect(room.get()).toMatchObject({ status: 'loading', live: true });
    reset(world);
    world.server.room('1').store('bob', 'new');
    await pass(3_000 + 4_000 + MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(shown(room)).toEqual(['new']);
    const requests = world.server.api.requests.length;
    await pass(600_000);
    expect(world.server.api.requests).toHaveLength(requests);
    expect(new Set(statuses)).toEqual(new Set(['loading ', 'ready ']));
    expect(world.server.api.asked('after=')).toEqual([]);
  });

  it('after the answer was under way: what is shown is the log as it is', async () => {
    const { world, room, statuses } = entering();
    await pass(2_100);
    world.server.reset('1', 'e2');
    world.server.room('1').store('bob', 'new');
    await pass(RECONNECTED_MS);
    expect(room.get()).toMatchObject({ status: 'loading', live: true });
    await pass(60_000);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(shown(room)).toEqual(['new']);
    expect(new Set(statuses)).toEqual(new Set(['loading ', 'ready ']));
    world.server.post('1', 'bob', 'newer');
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['new', 'newer']);
  });

  it('after the answer was under way, with a message that comes before it', async () => {
    const { world, room } = entering();
    await pass(2_100);
    world.server.room('1').reset('e2');
    postMany(world, 1, 2);
    await pass(60_000);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(shown(room)).toEqual(['1', '2']);
  });
});
