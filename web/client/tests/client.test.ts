import { afterEach, describe, expect, it, vi } from 'vitest';
import { ChatClient } from '../src/index.js';
import { MemoryStorage } from './support/memory-storage.js';
import { thrownLater } from './support/thrown.js';
import { pass, virtualTime } from './support/time.js';
import { MOMENT_MS, shown, World, waiting } from './support/world.js';

virtualTime();

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a client', () => {
  it('does nothing until it is used', async () => {
    const world = new World();
    const client = world.client();
    await pass(60_000);
    expect(client.connection.get().state).toBe('idle');
    expect([world.server.sockets, world.desk.requests]).toEqual([[], []]);
    expect(client.user()).toBeNull();
  });

  it.each([
    ['https://chat.test', 'wss://chat.test/allibe-ws', 'https://chat.test/api/chat/rooms'],
    ['http://chat.test:8080//', 'ws://chat.test:8080/allibe-ws', 'http://chat.test:8080/api/chat/'],
    ['https://x.test/sub/', 'wss://x.test/sub/allibe-ws', 'https://x.test/sub/api/chat/rooms'],
  ])('finds everything below %s', async (url, socket, http) => {
    const world = new World();
    const fetch = vi.fn(world.server.api.fetch);
    await world.entered({ url, fetch });
    expect(world.server.sockets[0]?.url).toBe(socket);
    expect(String(fetch.mock.calls[0]?.[0])).toContain(http);
  });

  it('uses what the browser has, where it is not told otherwise', async () => {
    const world = new World();
    const { webSocket } = world.server;
    const storage = new MemoryStorage();
    class Socket {
      constructor(url: string, protocols: string[]) {
        // biome-ignore lint/correctness/noConstructorReturn: it stands in for the global class
        return webSocket(url, protocols);
      }
    }
    const fetch = vi.fn(world.server.api.fetch);
    vi.stubGlobal('WebSocket', Socket);
    vi.stubGlobal('fetch', fetch);
    vi.stubGlobal('localStorage', storage);
    const client = new ChatClient({ url: 'https://chat.test', getToken: world.desk.getToken });
    const room = client.enter('1');
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
    // A browser refuses to `fetch` for another `this`.
    expect(fetch.mock.contexts.every((one) => one === undefined)).toBe(true);
    world.server.trouble('/app/message', 'ignored');
    room.send('kept');
    expect(storage).toHaveLength(1);
  });

  it('knows its user from the token, or from the server where the token does not say', async () => {
    const world = new World();
    const fromToken = world.client();
    void fromToken.http.rooms();
    await pass(MOMENT_MS);
    expect(fromToken.user()).toBe('alice');

    const server = vi.spyOn(world.server, 'claimsOf');
    server.mockReturnValue({ sub: 'alice', exp: Date.now() / 1000 + 3_600 });
    const { client, room } = await world.entered({ getToken: () => 'opaque' });
    expect(client.user()).toBe('alice');
    world.server.drop();
    await pass(10);
    room.send('stored for her');
    expect(world.storage).toHaveLength(1);
    await pass(1_000);
    expect(shown(room)).toEqual(['stored for her']);
    expect(waiting(room)).toEqual([]);
  });

  it('keeps what was written before the user was known', async () => {
    const world = new World();
    const client = world.client();
    client.enter('1').send('early');
    expect(world.storage).toHaveLength(0);
    await pass(2);
    expect(world.storage).toHaveLength(1);
    await pass(MOMENT_MS);
    expect(world.server.room('1').contents).toEqual(['early']);
  });

  it('takes no notice of what it does not know', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    world.server.tell('alice', 'rooms', { type: 'of tomorrow', roomId: '1' });
    world.server.live[0]?.deliver('/topic/rooms/1', { type: 'of tomorrow', roomId: '1' });
    await pass(MOMENT_MS);
    expect(room.get()).toMatchObject({ status: 'ready', live: true });
    expect(errors).toEqual([]);
  });

  it('tells of no notification that is none', async () => {
    const world = new World();
    world.server.room('2');
    const { client } = await world.entered();
    const told: unknown[] = [];
    client.on('notification', (one) => told.push(one.message.content));
    const whole = { type: 'notification', roomId: '2', unreadCount: 1 };
    for (const more of [{}, { message: null }, { message: 'hi' }, { message: { offset: 1 } }]) {
      world.server.tell('alice', 'notifications', { ...whole, ...more });
    }
    world.server.live[0]?.deliver('/user/queue/notifications', []);
    world.server.post('2', 'bob', 'real');
    await pass(MOMENT_MS);
    expect(told).toEqual(['real']);
  });

  it('takes no message of another room for one of its own', async () => {
    const world = new World();
    const other = world.server.room('2');
    const { client, room } = await world.entered();
    const told: string[] = [];
    client.on('message', (one) => told.push(one.content));
    other.store('bob', 'astray');
    const [astray] = other.messages;
    for (const body of [astray, { ...astray, roomId: '1', offset: 0 }, { offset: 1 }]) {
      world.server.live[0]?.deliver('/topic/rooms/1', body as object);
    }
    world.server.post('1', 'bob', 'at home');
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['at home']);
    expect(told).toEqual(['at home']);
  });

  it('without a WebSocket, as in an old Node, says so and is of use over HTTP', async () => {
    const world = new World();
    vi.stubGlobal('WebSocket', undefined);
    Reflect.deleteProperty(globalThis, 'WebSocket');
    const { fetch } = world.server.api;
    const client = new ChatClient({
      url: 'https://chat.test',
      ...world.desk,
      fetch,
      storage: null,
    });
    world.server.post('1', 'bob', 'hello');
    const room = client.enter('1');
    await pass(600_000);
    expect(client.connection.get()).toMatchObject({
      state: 'refused',
      disconnect: { code: 1006, reason: 'ReferenceError: WebSocket is not defined' },
    });
    expect(room.get()).toMatchObject({ status: 'ready', live: false });
    expect(shown(room)).toEqual(['hello']);
    expect(world.desk.requests).toHaveLength(1);
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can be told to try now', async () => {
    const world = new World();
    const { client } = await world.entered();
    world.server.drop(1013);
    await pass(10);
    client.retry();
    await pass(MOMENT_MS);
    expect(client.connection.get().state).toBe('online');
  });

  it('is not hurt by a listener that throws', async () => {
    const world = new World();
    const { client, room } = await world.entered();
    const errors = thrownLater();
    client.on('message', () => {
      throw new Error('of the listener');
    });
    world.server.room('1').loseNext = 1;
    for (const content of ['1', '2', '3']) world.server.post('1', 'bob', content);
    await pass(MOMENT_MS);
    expect(shown(room)).toEqual(['1', '2', '3']);
    expect(errors).toHaveLength(3);
  });
});
