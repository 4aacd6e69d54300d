import { describe, expect, it, vi } from 'vitest';
import { Connection } from '../../src/connection/connection.js';
import type { MakeSocket } from '../../src/connection/link.js';
import { type GetToken, SignedOut } from '../../src/index.js';
import { Tokens } from '../../src/tokens.js';
import { FakeNetwork } from '../support/fake-network.js';
import { FakeServer } from '../support/fake-server.js';
import { pass, virtualTime } from '../support/time.js';
import { TokenDesk } from '../support/token-desk.js';

virtualTime();

const MOMENT_MS = 60;

function made(more: { webSocket?: MakeSocket; getToken?: GetToken } = {}) {
  const server = new FakeServer();
  const desk = new TokenDesk();
  const network = new FakeNetwork();
  const connection = new Connection({
    url: 'wss://chat.test/allibe-ws',
    tokens: new Tokens(more.getToken ?? desk.getToken),
    webSocket: more.webSocket ?? server.webSocket,
    network,
    random: () => 0.5,
    heartBeatMs: 10_000,
  });
  const told: string[] = [];
  for (const name of ['first', 'second']) {
    connection.add({
      up: (link) => told.push(`${name} up ${link === connection.link()}`),
      down: () => told.push(`${name} down ${connection.link() === null}`),
    });
  }
  return { server, desk, network, connection, told };
}

async function online() {
  const all = made();
  const unwant = all.connection.want();
  await pass(MOMENT_MS);
  return { ...all, unwant };
}

describe('a connection', () => {
  it('is idle until somebody wants it', async () => {
    const { server, desk, connection } = made();
    await pass(60_000);
    expect(connection.get().state).toBe('idle');
    expect(connection.link()).toBeNull();
    expect([server.sockets, desk.requests]).toEqual([[], []]);
  });

  it('comes up once, however many want it, and goes when none does', async () => {
    const { server, connection, told, unwant } = await online();
    const other = connection.want();
    await pass(MOMENT_MS);
    unwant();
    unwant();
    await pass(MOMENT_MS);
    expect(connection.get().state).toBe('online');
    other();
    await pass(MOMENT_MS);
    expect(connection.get().state).toBe('idle');
    expect(server.sockets).toHaveLength(1);
    expect(told).toEqual([
      'first up true',
      'second up true',
      'first down true',
      'second down true',
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stays when it is let go of and wanted again in the same turn', async () => {
    const { server, connection, told, unwant } = await online();
    unwant();
    connection.want();
    await pass(MOMENT_MS);
    expect(connection.get().state).toBe('online');
    expect(server.sockets).toHaveLength(1);
    expect(told).toHaveLength(2);
  });

  it('tells those who use it of each link, up and down', async () => {
    const { server, connection, told } = await online();
    server.drop();
    await pass(2_000);
    expect(connection.get().state).toBe('online');
    expect(told.map((one) => one.split(' ').slice(0, 2).join(' '))).toEqual([
      'first up',
      'second up',
      'first down',
      'second down',
      'first up',
      'second up',
    ]);
  });

  it('counts as a success after five seconds', async () => {
    const { server, connection } = await online();
    server.drop();
    await pass(600);
    expect(connection.get()).toMatchObject({ state: 'online', attempt: 1 });
    await pass(4_000);
    expect(connection.get().attempt).toBe(1);
    await pass(1_000);
    expect(connection.get().attempt).toBe(0);
  });

  it('that breaks before that waits longer each time', async () => {
    const { server, connection } = await online();
    const waits: number[] = [];
    for (let time = 0; time < 4; time += 1) {
      server.drop();
      await pass(5);
      waits.push((connection.get().retryAt ?? 0) - Date.now());
      await pass(waits.at(-1) ?? 0);
      await pass(MOMENT_MS);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
  });

  it('tells listeners of each state, once per turn', async () => {
    const { server, connection } = await online();
    const states: string[] = [];
    connection.subscribe(() => states.push(connection.get().state));
    server.drop();
    await pass(2_000);
    await pass(6_000);
    expect(states).toEqual(['reconnecting', 'reconnecting', 'online', 'online']);
  });

  it('is given up without a word while a token is asked for', async () => {
    const { server, desk, connection } = made();
    desk.hangs = true;
    const unwant = connection.want();
    await pass(100);
    unwant();
    await pass(60_000);
    expect(connection.get()).toMatchObject({ state: 'idle', disconnect: null });
    expect(server.sockets).toHaveLength(0);
  });

  it('asks for a fresh token only where the code says so', async () => {
    const { server, desk } = await online();
    server.drop(1011);
    await pass(5_000);
    server.drop(4403);
    await pass(5_000);
    expect(desk.requests).toEqual([{ fresh: false }, { fresh: true }]);
  });

  it('is refused for good where nobody is signed in, and listens for nothing then', async () => {
    const { desk, connection, network } = made();
    desk.failure = new SignedOut();
    connection.want();
    await pass(MOMENT_MS);
    expect(connection.get()).toMatchObject({
      state: 'refused',
      disconnect: { code: 4401, reason: 'Nobody is signed in.' },
    });
    network.change({ online: true });
    await pass(600_000);
    expect(desk.requests).toHaveLength(1);
  });
});

describe('what no second attempt would mend', () => {
  it.each([
    ['an address that may not be opened', new DOMException('Not allowed.', 'SecurityError')],
    ['a class that there is not', new ReferenceError('WebSocket is not defined')],
  ])('is refused until the user tries again: %s', async (_, thrown) => {
    const webSocket = vi.fn((): WebSocket => {
      throw thrown;
    });
    const { connection, network, told } = made({ webSocket });
    const unwant = connection.want();
    await pass(MOMENT_MS);
    expect(connection.get()).toMatchObject({
      state: 'refused',
      retryAt: null,
      disconnect: { code: 1006, reason: String(thrown) },
    });
    network.change({ online: true });
    await pass(600_000);
    expect(webSocket).toHaveBeenCalledTimes(1);
    connection.retry();
    await pass(MOMENT_MS);
    expect(webSocket).toHaveBeenCalledTimes(2);
    unwant();
    await pass();
    expect([connection.get().state, told]).toEqual(['idle', []]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is refused where getToken gives what is no token', async () => {
    const { server, connection } = made({ getToken: () => 'a\nb' });
    connection.want();
    await pass(600_000);
    expect(connection.get()).toMatchObject({
      state: 'refused',
      disconnect: { code: 4401, reason: 'getToken returned something that is no token.' },
    });
    expect(server.sockets).toHaveLength(0);
  });

  it('is not a getToken that does not answer: that one is asked again', async () => {
    const { desk, connection } = made();
    desk.hangs = true;
    connection.want();
    await pass(15_000 + MOMENT_MS);
    expect(connection.get()).toMatchObject({ state: 'reconnecting', disconnect: { code: 1006 } });
    desk.hangs = false;
    await pass(2_000);
    expect(connection.get().state).toBe('online');
  });
});

describe('closing', () => {
  it('ends it whoever wants it, at once; what they do later changes nothing', async () => {
    const { server, connection, unwant } = await online();
    connection.want();
    connection.close();
    expect(connection.get().state).toBe('idle');
    unwant();
    await pass(MOMENT_MS);
    expect(server.live).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
    connection.want();
    await pass(MOMENT_MS);
    expect(connection.get().state).toBe('online');
  });
});

describe('surroundings', () => {
  it('that change end the wait only where there is a network and somebody looks', async () => {
    const { server, network, connection } = await online();
    server.reachable = false;
    server.drop();
    await pass(10_000);
    const sockets = server.sockets.length;
    network.change({ online: false });
    network.change({ visible: false });
    network.change({ online: true });
    await pass();
    expect(server.sockets).toHaveLength(sockets);
    network.change({ visible: true });
    await pass();
    expect(server.sockets).toHaveLength(sockets + 1);
    expect(connection.get().state).toBe('reconnecting');
  });

  it('show in the state at once', async () => {
    const { server, network, connection } = await online();
    server.reachable = false;
    server.drop();
    await pass(MOMENT_MS);
    expect(connection.get().state).toBe('reconnecting');
    network.change({ online: false });
    expect(connection.get().state).toBe('offline');
  });

  it('that change put one wait in the place of another', async () => {
    const { server, network, connection } = await online();
    server.drop(1011);
    await pass(10);
    server.reachable = false;
    for (let time = 0; time < 5; time += 1) network.change({ visible: true });
    // At 1 s, which the server wants; then a second later, and not at 1.5 s too.
    await pass(989);
    expect(server.sockets).toHaveLength(1);
    await pass(MOMENT_MS);
    expect(server.sockets).toHaveLength(2);
    server.reachable = true;
    await pass(900);
    expect(server.sockets).toHaveLength(2);
    await pass(100);
    expect([server.sockets.length, connection.get().state]).toEqual([3, 'online']);
  });

  it('that change do nothing to a connection that is up', async () => {
    const { server, network, connection } = await online();
    network.change({ online: false });
    network.change({ online: true });
    await pass(MOMENT_MS);
    expect(connection.get().state).toBe('online');
    expect(server.sockets).toHaveLength(1);
  });
});
