/** Something else answers in place of the server: a hotel's sign-in page, a proxy, a gateway. */

import { describe, expect, it } from 'vitest';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, postMany, shown, World, waiting } from '../support/world.js';

virtualTime();

/** The longest wait between two attempts, and a list that is loaded every 30 s. */
const HEALED_MS = 60_000;

/** A hotel's network: no socket comes about, and every request gets its page. */
function checkIn(world: World): void {
  world.server.reachable = false;
  world.server.api.portal = '<!doctype html><title>Welcome! Please sign in</title>';
  world.server.drop();
}

describe('a network that wants a sign-in first', () => {
  it('is waited for: all is there by itself when it lets us through', async () => {
    const world = new World();
    postMany(world, 1, 3);
    world.server.room('1').read.set('alice', 2);
    checkIn(world);
    const client = world.client();
    client.rooms.watch();
    const room = client.enter('1');
    room.send('from the hotel');
    await pass(119_000);
    expect(room.get()).toMatchObject({
      status: 'error',
      error: { code: 'network', retryable: true },
      messages: [],
    });
    expect(client.rooms.get()).toMatchObject({ status: 'error', error: { code: 'network' } });
    expect(client.connection.get()).toMatchObject({ state: 'reconnecting' });
    expect(waiting(room)).toEqual(['from the hotel pending']);

    world.server.heal();
    await pass(HEALED_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, readOffsetOnEntry: 2 });
    expect(shown(room)).toEqual(['1', '2', '3', 'from the hotel']);
    expect(client.rooms.get()).toMatchObject({ status: 'ready', error: null });
    expect(client.rooms.get().rooms).toMatchObject([{ roomId: '1' }]);
    expect(world.server.room('1').contents.at(-1)).toBe('from the hotel');
  });

  it('takes nothing away from what is on screen', async () => {
    const world = new World();
    postMany(world, 1, 60);
    const { client, room } = await world.entered();
    client.rooms.watch();
    await pass(MOMENT_MS);
    checkIn(world);
    await pass(10);
    room.reload();
    void room.loadOlder();
    await pass(120_000);
    expect(room.get()).toMatchObject({ status: 'ready', error: { code: 'network' } });
    expect(room.get().olderError).toMatchObject({ code: 'network' });
    expect(shown(room)).toHaveLength(50);
    expect(client.rooms.get().rooms).toHaveLength(1);

    world.server.heal();
    postMany(world, 61, 61);
    await pass(HEALED_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(shown(room).at(-1)).toBe('61');
  });

  it('is no success of what was asked for', async () => {
    const world = new World();
    const { client } = await world.entered();
    checkIn(world);
    const asked = [
      client.http.createRoom({ name: 'New' }),
      client.http.addMember('1', 'carol'),
      client.http.removeMember('1', 'bob'),
    ].map((one) => one.catch((error: unknown) => error));
    await pass(MOMENT_MS);
    for (const answer of await Promise.all(asked)) {
      expect(answer).toMatchObject({ name: 'ChatError', code: 'network', retryable: true });
    }
    expect(client.rooms.get().rooms).toEqual([]);
  });
});

describe('a proxy without a server behind it', () => {
  it.each([404, 403, 400, 502])('that answers %i ends no room', async (status) => {
    const world = new World();
    postMany(world, 1, 3);
    world.server.api.trouble(/rooms/, { status, text: '<h1>nginx</h1>' });
    const client = world.client();
    client.rooms.watch();
    const room = client.enter('1');
    await pass(30_000);
    expect(room.get()).toMatchObject({ status: 'error', error: { code: `http_${status}` } });
    world.server.heal();
    await pass(HEALED_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true, error: null });
    expect(client.rooms.get().status).toBe('ready');
  });

  it('that answers with empty objects ends no room either', async () => {
    const world = new World();
    postMany(world, 1, 3);
    world.server.api.trouble(/rooms/, { status: 200, body: {} });
    const { room } = await world.entered();
    expect(room.get()).toMatchObject({ status: 'error', error: { code: 'network' } });
    world.server.heal();
    await pass(HEALED_MS);
    expect(shown(room)).toEqual(['1', '2', '3']);
  });
});
