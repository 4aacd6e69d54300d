/** Nothing is lost and nothing comes twice: over breaks, holes, repetitions and new logs. */

import { describe, expect, it } from 'vitest';
import type { ChatClient } from '../../src/index.js';
import { pass, virtualTime } from '../support/time.js';
import { MOMENT_MS, postMany, shown, World } from '../support/world.js';

virtualTime();

const RECONNECTED_MS = 600;

/** Contents of the `message` events of a client. */
function arrivals(client: ChatClient): string[] {
  const arrived: string[] = [];
  client.on('message', (message) => arrived.push(message.content));
  return arrived;
}

describe('after a break', () => {
  it('what was missed comes by x-since, in order, with what is new behind it', async () => {
    const world = new World();
    postMany(world, 1, 3);
    const { client, room } = await world.entered();
    const arrived = arrivals(client);
    const loads = world.server.api.asked('/messages').length;
    world.server.drop();
    await pass(10);
    postMany(world, 4, 300);
    await pass(RECONNECTED_MS);
    postMany(world, 301, 302);
    await pass(MOMENT_MS);

    expect(room.get().messages).toEqual(world.server.room('1').messages);
    expect(arrived).toEqual(world.server.room('1').contents.slice(3));
    expect(world.server.api.asked('/messages')).toHaveLength(loads);
  });

  it('sends what was read in the meantime', async () => {
    const world = new World();
    postMany(world, 1, 3);
    const { room } = await world.entered();
    world.server.drop();
    await pass(10);
    room.markRead(2);
    await pass(RECONNECTED_MS);
    expect(world.server.reads).toEqual([{ user: 'alice', roomId: '1', offset: 2 }]);
  });

  it('asks for nothing when nothing was loaded yet', async () => {
    const world = new World();
    world.server.api.delayMs = 5_000;
    postMany(world, 1, 2);
    const client = world.client();
    const room = client.enter('1');
    await pass(MOMENT_MS);
    expect(world.server.sent('/topic/rooms/1')[0]?.headers['x-since']).toBeUndefined();
    postMany(world, 3, 4);
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'loading', live: true, messages: [] });
    await pass(5_000);
    expect(shown(room)).toEqual(['1', '2', '3', '4']);
    expect(room.get().status).toBe('ready');
  });
});

describe('a server that cannot recover', () => {
  it.each([
    ['says so', (world: World) => Object.assign(world.server, { recovers: false })],
    ['has too much to say', (world: World) => Object.assign(world.server, { recoveryLimit: 5 })],
  ])('%s: the history closes the gap', async (_, spoil) => {
    const world = new World();
    postMany(world, 1, 3);
    const { client, room } = await world.entered();
    const arrived = arrivals(client);
    spoil(world);
    world.server.drop();
    await pass(10);
    postMany(world, 4, 453);
    await pass(RECONNECTED_MS);
    postMany(world, 454, 455);
    await pass(MOMENT_MS);

    expect(room.get().messages).toEqual(world.server.room('1').messages);
    expect(arrived).toEqual(world.server.room('1').contents.slice(3));
    const pages = world.server.api.asked('after=').map((one) => one.path);
    expect(pages).toEqual([3, 203, 403].map((n) => `/rooms/1/messages?limit=200&after=${n}`));
  });

  it('and a client that is far behind: it begins anew with the newest page', async () => {
    const world = new World();
    postMany(world, 1, 3);
    const { client, room } = await world.entered();
    const arrived = arrivals(client);
    world.server.drop();
    await pass(10);
    postMany(world, 4, 1_100);
    await pass(RECONNECTED_MS);
    postMany(world, 1_101, 1_101);
    await pass(MOMENT_MS);

    expect(room.get().messages).toEqual(world.server.room('1').messages.slice(1_050 - 0));
    expect(room.get().hasOlder).toBe(true);
    expect(new Set(arrived).size).toBe(arrived.length);
    expect(arrived.at(-1)).toBe('1101');
    expect(world.server.api.asked('after=')).toHaveLength(0);
  });

  it('and whose history fails for a while: it is asked until it answers', async () => {
    const world = new World();
    postMany(world, 1, 3);
    const { room } = await world.entered();
    world.server.recovers = false;
    const problem = { code: 'store_unavailable', detail: 'Not now.', retryable: true };
    world.server.api.trouble(/after=/, { status: 503, body: problem }, 2);
    world.server.drop();
    await pass(10);
    postMany(world, 4, 6);
    await pass(RECONNECTED_MS);
    expect(room.get()).toMatchObject({ status: 'ready', error: { code: 'store_unavailable' } });
    expect(shown(room)).toEqual(['1', '2', '3']);
    await pass(10_000);
    expect(shown(room)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(room.get().error).toBeNull();
  });
});

describe('a hole', () => {
  it('is filled over HTTP when an event was lost, and the order kept', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const arrived = arrivals(client);
    world.server.room('1').loseNext = 2;
    postMany(world, 1, 4);
    await pass(8);
    expect(shown(room)).toEqual([]);
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['1', '2', '3', '4']);
    expect(arrived).toEqual(['1', '2', '3', '4']);
  });

  it('that a break follows is filled all the same', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.room('1').loseNext = 1;
    postMany(world, 1, 1);
    world.server.drop();
    await pass(RECONNECTED_MS);
    expect(shown(room)).toEqual(['1']);
  });

  it('is not shown while its filling fails, nor asked for more often because more comes', async () => {
    const world = new World();
    const { room } = await world.entered();
    world.server.api.trouble(/after=/, 'network');
    world.server.room('1').loseNext = 1;
    for (let number = 1; number <= 50; number += 1) {
      postMany(world, number, number);
      await pass(100);
    }
    expect(room.get()).toMatchObject({ status: 'ready', messages: [] });
    expect(room.get().error?.code).toBe('network');
    // After 1.5, then 2 s more.
    expect(world.server.api.asked('after=')).toHaveLength(3);
    world.server.heal();
    await pass(30_000);
    expect(room.get().messages).toEqual(world.server.room('1').messages);
    expect(room.get().error).toBeNull();
  });
});

describe('a message that comes twice', () => {
  it('is shown and told of once', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const arrived = arrivals(client);
    world.server.room('1').doubleNext = 2;
    postMany(world, 1, 3);
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['1', '2', '3']);
    expect(arrived).toEqual(['1', '2', '3']);
  });
});

describe('loading the room anew', () => {
  it('keeps what arrived while the page was on its way, and tells of it once', async () => {
    const world = new World();
    postMany(world, 1, 3);
    const { client, room } = await world.entered();
    const arrived = arrivals(client);
    world.server.api.delayMs = 1_000;
    room.reload();
    await pass(600);
    postMany(world, 4, 4);
    await pass(MOMENT_MS);
    const seen: number[] = [];
    room.subscribe(() => seen.push(room.get().messages.length));
    await pass(3_000);
    expect(shown(room)).toEqual(['1', '2', '3', '4']);
    expect(seen.every((length) => length === 4)).toBe(true);
    expect(arrived).toEqual(['4']);
  });
});

describe('a room that cannot be loaded', () => {
  it('says so, tries again by itself, and is ready then', async () => {
    const world = new World();
    postMany(world, 1, 3);
    world.server.api.trouble(/messages/, { status: 500 }, 2);
    const { room } = await world.entered();
    expect(room.get()).toMatchObject({ status: 'error', error: { code: 'http_500' } });
    await pass(2_000);
    expect(room.get()).toMatchObject({ status: 'ready', error: null });
    expect(shown(room)).toEqual(['1', '2', '3']);
  });

  it('is loaded at once when the user asks for it', async () => {
    const world = new World();
    world.server.api.trouble(/messages/, 'network');
    const { room } = await world.entered();
    expect(room.get().status).toBe('error');
    world.server.heal();
    room.reload();
    expect(room.get().status).toBe('loading');
    await pass(MOMENT_MS);
    expect(room.get().status).toBe('ready');
  });

  it('is over when the server says that it always will be so', async () => {
    const world = new World();
    const client = world.client();
    const room = client.enter('unknown');
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ended', error: { code: 'unknown_room' } });
    const requests = world.server.api.requests.length;
    await pass(60_000);
    expect(world.server.api.requests).toHaveLength(requests);
  });

  it('keeps its messages when only older ones cannot be loaded', async () => {
    const world = new World();
    postMany(world, 1, 60);
    const { room } = await world.entered();
    world.server.api.trouble(/before=/, 'network', 1);
    void room.loadOlder();
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', olderError: { code: 'network' } });
    void room.loadOlder();
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ olderError: null, hasOlder: false });
  });
});
