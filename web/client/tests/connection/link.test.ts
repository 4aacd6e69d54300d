import { afterEach, describe, expect, it, vi } from 'vitest';
import { Link, PROTOCOLS } from '../../src/connection/link.js';
import type { Closed } from '../../src/connection/machine.js';
import { ChatError } from '../../src/index.js';
import { FakeServer } from '../support/fake-server.js';
import { pass, virtualTime } from '../support/time.js';
import { tokenOf } from '../support/token-desk.js';

virtualTime();

const MOMENT_MS = 30;

function linkTo(server: FakeServer) {
  server.room('1');
  const happened: string[] = [];
  const ends: Closed[] = [];
  const link = new Link({
    socket: server.webSocket('wss://chat.test/allibe-ws', PROTOCOLS),
    token: tokenOf('alice', Date.now() + 3_600_000),
    heartBeatMs: 10_000,
    opened: () => happened.push('opened'),
    closed: (closed) => {
      happened.push('closed');
      ends.push(closed);
    },
  });
  return { link, happened, ends };
}

async function opened(server = new FakeServer()) {
  const made = linkTo(server);
  await pass(MOMENT_MS);
  return { server, ...made };
}

describe('opening a link', () => {
  it('signs in, and tells whom the server signed in', async () => {
    const { link, happened } = await opened();
    expect(happened).toEqual(['opened']);
    expect(link.user).toBe('alice');
    expect(link.isOpen()).toBe(true);
  });

  it('leaves it open who that is where the server does not say', async () => {
    const { link } = await opened(Object.assign(new FakeServer(), { tellsUser: false }));
    expect(link.user).toBeNull();
    expect(link.isOpen()).toBe(true);
  });

  it('ends with 1006 where the socket does not come about, later and once', async () => {
    const { happened, ends } = linkTo(Object.assign(new FakeServer(), { reachable: false }));
    expect(happened).toEqual([]);
    await pass(60_000);
    expect(happened).toEqual(['closed']);
    expect(ends).toEqual([{ code: 1006, reason: '' }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends with 4001 after 10 s without CONNECTED, and takes none after that', async () => {
    const server = new FakeServer();
    server.trouble('CONNECT', 'ignored');
    const { happened, ends } = await opened(server);
    await pass(10_000);
    expect(ends).toEqual([{ code: 4001, reason: 'no answer in time' }]);
    await pass(60_000);
    expect(happened).toEqual(['closed']);
    expect(server.sockets[0]?.readyState).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends with the code of a server that refuses', async () => {
    const server = new FakeServer();
    server.refusesTokens = 'token_invalid';
    const { happened, ends } = await opened(server);
    expect(happened).toEqual(['closed']);
    expect(ends[0]?.code).toBe(4402);
  });
});

describe('a request', () => {
  it('is settled by its receipt, with the headers of that', async () => {
    const { link } = await opened();
    const settle = vi.fn();
    link.subscribe('s', '/topic/rooms/1', {}, () => {}, settle);
    await pass(MOMENT_MS);
    expect(settle).toHaveBeenCalledExactlyOnceWith(
      null,
      expect.objectContaining({ 'x-offset': '0', 'x-epoch': 'e1' }),
    );
  });

  it('is settled once: after what it asked for has come', async () => {
    const { server, link } = await opened();
    server.post('1', 'bob', 'missed');
    const order: string[] = [];
    const headers = { 'x-since': '1.e1.0' };
    link.subscribe(
      's',
      '/topic/rooms/1',
      headers,
      (body) => order.push((body as { content: string }).content),
      () => order.push('settled'),
    );
    await pass(MOMENT_MS);
    expect(order).toEqual(['missed', 'settled']);
  });

  it('that is refused softly is settled with the error', async () => {
    const { link } = await opened();
    const settle = vi.fn();
    link.send('/app/read', { roomId: '1', offset: 1 }, settle);
    const error = new ChatError('not_a_member', 'No.', false);
    expect(link.refuse('r-1', error)).toBe(true);
    expect(link.refuse('r-1', error)).toBe(false);
    await pass(MOMENT_MS);
    expect(settle).toHaveBeenCalledExactlyOnceWith(error, {});
  });

  it.each([
    ['store_unavailable', true, 4406, 'store_unavailable'],
    ['rejected', false, 4405, 'rejected'],
    // The end of a token says nothing of the request.
    ['token_expired', false, 4403, 'network'],
  ])('that an ERROR %s names is settled with it', async (code, retryable, closes, told) => {
    const { server, link, ends } = await opened();
    server.trouble('/app/message', { code, retryable, closes });
    const settle = vi.fn();
    const other = vi.fn();
    link.send('/app/message', {}, settle);
    server.trouble('/app/read', 'ignored');
    link.send('/app/read', {}, other);
    await pass(MOMENT_MS);
    expect(settle).toHaveBeenCalledTimes(1);
    expect(settle.mock.calls[0]?.[0]).toMatchObject({
      code: told,
      retryable: retryable || told === 'network',
    });
    expect(other.mock.calls[0]?.[0]).toMatchObject({ code: 'network', retryable: true });
    expect(ends).toEqual([{ code: closes, reason: 'refused' }]);
  });

  it('and an ERROR that say when to come back hand that on', async () => {
    const { server, link, ends } = await opened();
    const refusal = { code: 'rate_limited', retryable: true, retryAfterMs: 7_000, closes: 4429 };
    server.trouble('/app/message', refusal);
    const settle = vi.fn();
    link.send('/app/message', {}, settle);
    await pass(MOMENT_MS);
    expect(settle.mock.calls[0]?.[0]).toMatchObject({ code: 'rate_limited', retryAfterMs: 7_000 });
    expect(ends).toEqual([{ code: 4429, reason: 'refused', retryAfterMs: 7_000 }]);
  });

  it('that is not answered within 15 s ends the link, and with it all others', async () => {
    const { server, link, ends } = await opened();
    server.trouble('/app/read', 'ignored');
    const settles = [vi.fn(), vi.fn()];
    for (const settle of settles) link.send('/app/read', { roomId: '1', offset: 1 }, settle);
    await pass(14_900);
    expect(ends).toEqual([]);
    await pass(200);
    expect(ends).toEqual([{ code: 4001, reason: 'no answer in time' }]);
    for (const settle of settles) {
      expect(settle).toHaveBeenCalledTimes(1);
      expect(settle.mock.calls[0]?.[0]).toMatchObject({ code: 'network', retryable: true });
    }
    expect(server.live).toHaveLength(0);
  });

  it('over a link that has ended fails at once', async () => {
    const { server, link } = await opened();
    server.drop();
    await pass(MOMENT_MS);
    expect(link.isOpen()).toBe(false);
    const settle = vi.fn();
    link.send('/app/read', {}, settle);
    link.unsubscribe('s');
    expect(settle.mock.calls[0]?.[0]).toMatchObject({ code: 'network', retryable: true });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends JSON with its type, and headers of its own', async () => {
    const { server, link } = await opened();
    server.trouble('/app/auth', 'ignored');
    link.send('/app/auth', { ä: 'é' }, () => {}, { Authorization: 'x:y' });
    await pass(MOMENT_MS);
    const [frame] = server.sent('/app/auth');
    expect(frame?.headers).toMatchObject({
      Authorization: 'x:y',
      'content-type': 'application/json',
      receipt: 'r-1',
    });
    expect(JSON.parse(frame?.body ?? '')).toEqual({ ä: 'é' });
  });
});

describe('heart-beats', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('are sent by the clock of a worker, which a hidden tab does not slow down', async () => {
    const workers: { onmessage?: (message: { data: number }) => void; terminated?: boolean }[] = [];
    class FakeWorker {
      terminated = false;
      constructor() {
        workers.push(this);
      }
      terminate() {
        this.terminated = true;
      }
    }
    vi.stubGlobal('Worker', FakeWorker);
    const { server, link } = await opened();
    const send = vi.spyOn(server.sockets[0] as unknown as WebSocket, 'send');
    await pass(15_000);
    expect(send).not.toHaveBeenCalled();
    workers[0]?.onmessage?.({ data: 10_000 });
    expect(send.mock.calls).toEqual([['\n']]);
    link.close();
    await pass(MOMENT_MS);
    expect(workers).toMatchObject([{ terminated: true }]);
  });
});

describe('a body that is no JSON', () => {
  it('is handed on as null', async () => {
    const { server, link } = await opened();
    const on = vi.fn();
    link.subscribe('s', '/user/queue/rooms', {}, on, () => {});
    await pass(MOMENT_MS);
    server.sockets[0]?.push('MESSAGE\nsubscription:s\nmessage-id:1\n\nnot json\0');
    await pass(MOMENT_MS);
    expect(on).toHaveBeenCalledExactlyOnceWith(null);
  });
});

describe('closing a link', () => {
  it('says DISCONNECT and waits for the answer; `closed` is not called', async () => {
    const { server, link, happened } = await opened();
    const settle = vi.fn();
    server.trouble('/app/read', 'ignored');
    link.send('/app/read', {}, settle);
    link.close();
    link.close();
    expect(settle.mock.calls[0]?.[0]).toMatchObject({ code: 'network' });
    await pass(MOMENT_MS);
    expect(server.sent('DISCONNECT')).toHaveLength(1);
    expect(server.connections[0]?.closedWith).toBe(1000);
    expect(happened).toEqual(['opened']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['while the socket opens', 2],
    ['while CONNECTED is waited for', 12],
  ])('%s drops it', async (_, ms) => {
    const server = new FakeServer();
    const { link, happened } = linkTo(server);
    await pass(ms);
    link.close();
    await pass(MOMENT_MS);
    expect(happened).toEqual([]);
    expect(server.sockets[0]?.readyState).toBe(3);
    expect(server.sent('DISCONNECT')).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('in the turn in which it was made leaves no socket open', async () => {
    const server = new FakeServer();
    const { link, happened } = linkTo(server);
    link.close();
    await pass(MOMENT_MS);
    expect(happened).toEqual([]);
    expect(server.sockets[0]?.readyState).toBe(3);
    expect(server.live).toHaveLength(0);
  });

  it('drops the socket after 2 s without an answer', async () => {
    const { server, link } = await opened();
    server.trouble('DISCONNECT', 'ignored');
    link.close();
    await pass(2_100);
    expect(server.sockets[0]?.readyState).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('hands on nothing that comes after it', async () => {
    const { server, link } = await opened();
    const on = vi.fn();
    link.subscribe('s', '/topic/rooms/1', {}, on, () => {});
    await pass(MOMENT_MS);
    server.post('1', 'bob', 'too late');
    link.close();
    await pass(MOMENT_MS);
    expect(on).not.toHaveBeenCalled();
  });
});
