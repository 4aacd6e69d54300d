/** A room is ready when its newest page and its entry are there: what was unread is known then. */

import { describe, expect, it } from 'vitest';
import type { EnteredRoom } from '../../src/index.js';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, postMany, shown, World } from '../support/world.js';

virtualTime();

const ENTRY = /^GET \/rooms\/1$/;

function worldWith(messages: number, read: number): World {
  const world = new World();
  postMany(world, 1, messages);
  world.server.room('1').read.set('alice', read);
  return world;
}

/** Requests for the room's entry. */
function entries(world: World): number {
  return world.server.api.requests.filter((one) => one.path === '/rooms/1').length;
}

/** States of the room as listeners see them, each once, with what was read. */
function states(room: EnteredRoom): string[] {
  const seen: string[] = [];
  room.subscribe(() => {
    const { status, readOffsetOnEntry, messages } = room.get();
    const now = `${status} ${readOffsetOnEntry} of ${messages.length}`;
    if (seen.at(-1) !== now) seen.push(now);
  });
  return seen;
}

describe('a room', () => {
  it.each([
    ['whose entry comes late', ENTRY],
    ['whose history comes late', /messages/],
  ])('%s is loading until both are there', async (_, late) => {
    const world = worldWith(5, 3);
    world.server.api.trouble(late, { lateMs: 5_000 });
    const client = world.client();
    const room = client.enter('1');
    const seen = states(room);
    await pass(2_000);
    postMany(world, 6, 6);
    await pass(2_900);
    expect(room.get()).toMatchObject({ status: 'loading', live: true, room: null, messages: [] });
    await pass(MOMENT_MS + 200);
    expect(seen).toEqual(['loading null of 0', 'ready 3 of 6']);
    expect(shown(room)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(entries(world)).toBe(1);
  });

  it.each([
    ['fails', { status: 503 }],
    ['cannot be asked for', 'network'],
    ['is answered by something else', { status: 200, text: '<html>' }],
    ['is said not to be there by something else', { status: 404, text: '<html>' }],
  ] as const)('whose entry %s at first is an error, and ready then', async (_, fault) => {
    const world = worldWith(5, 3);
    world.server.api.trouble(ENTRY, fault, 2);
    const client = world.client();
    const room = client.enter('1');
    const seen = states(room);
    await pass(30_000);
    expect(seen).toEqual(['loading null of 0', 'error null of 0', 'ready 3 of 5']);
    expect(room.get()).toMatchObject({ error: null, live: true, room: { name: 'Room 1' } });
  });

  it('whose entry is never answered is asked for again after 20 s', async () => {
    const world = worldWith(5, 3);
    world.server.api.trouble(ENTRY, 'hang', 1);
    const { room } = await world.entered();
    await pass(20_000);
    expect(room.get()).toMatchObject({ status: 'error', error: { code: 'timeout' } });
    await pass(2_000);
    expect(room.get()).toMatchObject({ status: 'ready', readOffsetOnEntry: 3 });
  });

  it('is over where its entry says so, though the history does not', async () => {
    const world = worldWith(5, 3);
    const body = { code: 'not_a_member', detail: 'No.', retryable: false };
    world.server.api.trouble(ENTRY, { status: 403, body });
    const { room } = await world.entered();
    expect(room.get()).toMatchObject({ status: 'ended', error: { code: 'not_a_member' } });
    const requests = world.server.api.requests.length;
    await pass(600_000);
    expect(world.server.api.requests).toHaveLength(requests);
  });

  it('asks for its entry once each time that it is entered, whatever happens then', async () => {
    const world = worldWith(120, 100);
    const { client, room } = await world.entered();
    expect(entries(world)).toBe(1);
    void room.loadOlder();
    await pass(MOMENT_MS);
    room.markRead();
    for (const recovers of [true, false]) {
      world.server.recovers = recovers;
      world.server.drop();
      await pass(10);
      postMany(world, 1, 20);
      await pass(5_000);
    }
    world.server.room('1').loseNext = 2;
    postMany(world, 1, 5);
    await pass(MOMENT_MS);
    client.enter('1');
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, readOffsetOnEntry: 100 });
    expect(entries(world)).toBe(1);

    room.leave();
    room.leave();
    await pass(MOMENT_MS);
    const again = client.enter('1');
    await pass(MOMENT_MS);
    expect(again.get()).toMatchObject({ status: 'ready', readOffsetOnEntry: 120 });
    expect(entries(world)).toBe(2);
  });
});
