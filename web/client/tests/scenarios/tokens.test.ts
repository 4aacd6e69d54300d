/** Tokens end, are refused, or cannot be had. */

import { describe, expect, it, vi } from 'vitest';
import { SignedOut } from '../../src/index.js';
import { pass, virtualTime } from '../support/time.js';
import { tokenOf } from '../support/token-desk.js';
import { MOMENT_MS, shown, World } from '../support/world.js';

virtualTime();

const HOUR_MS = 3_600_000;

describe('a token that is about to end', () => {
  it('is replaced on the living connection, again and again', async () => {
    const world = new World();
    world.desk.lifetimeMs = 300_000;
    const { client, room } = await world.entered();
    await pass(230_000);
    expect(world.server.sent('/app/auth')).toHaveLength(0);
    await pass(15_000);
    expect(world.server.sent('/app/auth')).toHaveLength(1);
    await pass(HOUR_MS);
    expect(world.server.sockets).toHaveLength(1);
    expect(client.connection.get().state).toBe('online');
    expect(room.get().live).toBe(true);
    expect(world.desk.requests.slice(1).every((one) => one.fresh)).toBe(true);
    // 240 s each, the first a quarter of an hour and a half later.
    expect(world.server.sent('/app/auth')).toHaveLength(16);
    const brought = world.server.sent('/app/auth').map((frame) => frame.headers.Authorization);
    expect(brought).toEqual(world.desk.given.slice(1, 17));
  });

  it('and cannot be replaced: the server closes with 4403, and a fresh one opens a new one', async () => {
    const world = new World();
    world.desk.lifetimeMs = 300_000;
    const { client, room } = await world.entered();
    world.desk.failure = new Error('the desk is closed');
    await pass(299_000);
    expect(world.server.sockets).toHaveLength(1);
    world.desk.failure = null;
    world.server.post('1', 'bob', 'before the end');
    await pass(1_000);
    expect(client.connection.get()).toMatchObject({ disconnect: { code: 4403 } });
    world.server.post('1', 'bob', 'after the end');
    await pass(600);
    expect(world.server.sockets).toHaveLength(2);
    expect(client.connection.get().state).toBe('online');
    expect(shown(room)).toEqual(['before the end', 'after the end']);
  });

  it('and whose replacement the server refuses: another one is asked for', async () => {
    const world = new World();
    world.desk.lifetimeMs = 300_000;
    const { client } = await world.entered();
    world.server.refusesTokens = 'token_invalid';
    await pass(241_000);
    world.server.refusesTokens = null;
    await pass(10_000);
    expect(client.connection.get().state).toBe('online');
    expect(world.server.sockets.length).toBeLessThanOrEqual(3);
  });

  it('is not handed to HTTP any more', async () => {
    const world = new World();
    world.desk.lifetimeMs = 300_000;
    const client = world.client();
    void client.rooms.reload();
    await pass(297_000);
    void client.rooms.reload();
    await pass(MOMENT_MS);
    expect(client.rooms.get().status).toBe('ready');
    expect(world.server.api.requests.at(-1)?.token).toBe(world.desk.given[1]);
  });
});

describe('a token that the server refuses', () => {
  it('is replaced by a fresh one', async () => {
    const world = new World();
    world.server.refusesTokens = 'token_invalid';
    const client = world.client();
    client.enter('1');
    await pass(MOMENT_MS);
    world.server.refusesTokens = null;
    await pass(2_000);
    expect(client.connection.get().state).toBe('online');
    expect(world.server.sent('CONNECT').map((one) => one.headers.Authorization)).toHaveLength(2);
  });

  it('three times in a row leads to a refusal, until the user tries again', async () => {
    const world = new World();
    world.server.refusesTokens = 'token_invalid';
    const client = world.client();
    client.enter('1');
    await pass(HOUR_MS);
    expect(client.connection.get()).toMatchObject({
      state: 'refused',
      disconnect: { code: 4402 },
      retryAt: null,
    });
    const tokens = world.server.sent('CONNECT').map((frame) => frame.headers.Authorization);
    expect(new Set(tokens).size).toBe(3);
    expect(tokens).toHaveLength(3);

    world.server.refusesTokens = null;
    client.retry();
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
    expect(world.desk.requests.at(-1)?.fresh).toBe(true);
  });

  it('now and then leads to none: a token that was taken begins the count anew', async () => {
    const world = new World();
    const { client } = await world.entered();
    for (let time = 0; time < 5; time += 1) {
      world.server.drop(4401);
      await pass(30_000);
      expect(client.connection.get().state).toBe('online');
    }
  });
});

describe('a token that is revoked', () => {
  it('ends the connection with 4407: a fresh one opens a new one, a second later at least', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    world.server.drop(4407);
    await pass(MOMENT_MS);
    expect(client.connection.get()).toMatchObject({ disconnect: { code: 4407 } });
    await pass(900 - MOMENT_MS);
    expect(world.server.sockets).toHaveLength(1);
    world.server.post('1', 'bob', 'meanwhile');
    await pass(1_600);
    expect(client.connection.get().state).toBe('online');
    expect(world.desk.requests.at(-1)?.fresh).toBe(true);
    expect(shown(room)).toEqual(['meanwhile']);
  });
});

describe('a clock that is ahead of the life of every token', () => {
  it('asks for no fresh token at each request', async () => {
    const world = new World();
    // By the server's own clock they live for an hour.
    const exp = () => Math.round(Date.now() / 1000) + 3_600;
    vi.spyOn(world.server, 'claimsOf').mockImplementation(() => ({ sub: 'alice', exp: exp() }));
    world.desk.lifetimeMs = -HOUR_MS;
    const { client, room } = await world.entered();
    for (let time = 0; time < 10; time += 1) {
      void client.rooms.reload();
      room.reload();
      await pass(30_000);
    }
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
    expect(world.server.api.requests.length).toBeGreaterThan(20);
    expect(world.desk.requests).toEqual([{ fresh: false }]);
    // Until the server says that it is over.
    world.server.api.trouble(/rooms\?/, { status: 401, body: { code: 'token_expired' } }, 1);
    void client.rooms.reload();
    await pass(MOMENT_MS);
    expect(client.rooms.get()).toMatchObject({ status: 'ready', error: null });
    expect(world.desk.requests).toEqual([{ fresh: false }, { fresh: true }]);
  });
});

describe('a token with a line break', () => {
  it('at its end is taken without it', async () => {
    const world = new World();
    const getToken = () => `${world.desk.getToken({ fresh: false })}\r\n`;
    const { room } = await world.entered({ getToken });
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
    const token = world.desk.given[0];
    expect(world.server.sent('CONNECT')[0]?.headers).toMatchObject({
      Authorization: token,
      'x-soft-errors': 'true',
    });
    expect(world.server.api.requests[0]?.token).toBe(token);
  });

  it('in it is never sent: all say so, until there is a better one', async () => {
    const world = new World();
    let spoiled = true;
    const getToken = () => {
      const token = String(world.desk.getToken({ fresh: false }));
      return spoiled ? token.replace('.', '.\n') : token;
    };
    const client = world.client({ getToken });
    client.rooms.watch();
    const room = client.enter('1');
    await pass(HOUR_MS);
    expect(client.connection.get()).toMatchObject({
      state: 'refused',
      disconnect: { code: 4401, reason: 'getToken returned something that is no token.' },
    });
    const error = { code: 'token_invalid', retryable: false };
    expect(room.get()).toMatchObject({ status: 'error', error });
    expect(client.rooms.get()).toMatchObject({ status: 'error', error });
    expect([world.server.sockets, world.server.api.requests]).toEqual([[], []]);

    spoiled = false;
    client.retry();
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
    expect(client.rooms.get().status).toBe('ready');
  });
});

describe('a getToken', () => {
  it('that says SignedOut ends all attempts', async () => {
    const world = new World();
    world.desk.failure = new SignedOut('bye');
    const client = world.client();
    const room = client.enter('1');
    await pass(HOUR_MS);
    expect(client.connection.get()).toMatchObject({
      state: 'refused',
      disconnect: { code: 4401, reason: 'bye' },
    });
    expect(world.server.sockets).toHaveLength(0);
    expect(room.get()).toMatchObject({ status: 'error', error: { code: 'token_required' } });

    world.desk.failure = null;
    client.retry();
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
  });

  it('that throws is asked again later', async () => {
    const world = new World();
    world.desk.failure = new Error('no network');
    const client = world.client();
    const room = client.enter('1');
    await pass(MOMENT_MS);
    expect(client.connection.get()).toMatchObject({
      state: 'reconnecting',
      disconnect: { code: 1006, reason: 'no token could be had' },
    });
    world.desk.failure = null;
    await pass(5_000);
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
  });

  it('that never answers is given up after 15 s and asked again', async () => {
    const world = new World();
    world.desk.hangs = true;
    const client = world.client();
    const room = client.enter('1');
    await pass(14_900);
    expect(client.connection.get().state).toBe('connecting');
    world.desk.hangs = false;
    await pass(2_500);
    expect(client.connection.get().state).toBe('online');
    expect(room.get().status).toBe('ready');
  });

  it('is asked once for all who need a token at the same time', async () => {
    const world = new World();
    const { client } = await world.entered();
    void client.rooms.reload();
    await pass(MOMENT_MS);
    expect(world.desk.requests).toEqual([{ fresh: false }]);
  });

  it('may answer with "Bearer", and with a token that says nothing', async () => {
    const world = new World();
    const token = tokenOf('alice', Date.now() + HOUR_MS);
    const { client } = await world.entered({ getToken: () => `Bearer ${token}` });
    expect(world.server.sent('CONNECT')[0]?.headers.Authorization).toBe(token);
    expect(client.user()).toBe('alice');
  });
});
