/** What is no answer to a request: errors of the server, of the network, and of what is between. */

import { describe, expect, it, vi } from 'vitest';
import type { Http } from '../src/http.js';
import { answerTo, httpTo } from './support/http.js';
import { message } from './support/messages.js';
import { pass, virtualTime } from './support/time.js';

virtualTime();

const DEADLINE_MS = 20_000;

describe('an error', () => {
  it('is what the server says it is', async () => {
    const { server, http } = httpTo();
    const problem = { code: 'overloaded', detail: 'Later.', retryable: true, retryAfterMs: 700 };
    server.api.trouble(/rooms/, { status: 503, body: problem });
    await expect(answerTo(http.rooms())).rejects.toMatchObject({
      code: 'overloaded',
      message: 'Later.',
      retryable: true,
      retryAfterMs: 700,
      status: 503,
    });
  });

  it.each([502, 429, 404, 403, 302])(
    'of something else on the way (%i) says nothing of the request: it may be tried again',
    async (status) => {
      const { server, http } = httpTo();
      server.api.trouble(/rooms/, { status, text: '<html>' });
      await expect(answerTo(http.rooms())).rejects.toMatchObject({
        code: `http_${status}`,
        message: `The server answered ${status}.`,
        retryable: true,
        retryAfterMs: null,
        status,
      });
    },
  );

  it('of the network may be tried again', async () => {
    const { server, http } = httpTo();
    server.api.trouble(/rooms/, 'network');
    await expect(answerTo(http.rooms())).rejects.toMatchObject({
      code: 'network',
      retryable: true,
      status: null,
    });
  });

  it('is a timeout after 20 s without an answer', async () => {
    const { server, http } = httpTo();
    server.api.trouble(/rooms/, 'hang');
    const failed = expect(http.rooms()).rejects.toMatchObject({ code: 'timeout', retryable: true });
    await pass(DEADLINE_MS);
    await failed;
    expect(vi.getTimerCount()).toBe(0);
  });
});

const CALLS: [string, (http: Http) => Promise<unknown>][] = [
  ['rooms', (http) => http.rooms()],
  ['room', (http) => http.room('1')],
  ['createRoom', (http) => http.createRoom({ name: 'New' })],
  ['history', (http) => http.history('1', { limit: 50 })],
  ['members', (http) => http.members('1')],
  ['addMember', (http) => http.addMember('1', 'carol')],
  ['changeRole', (http) => http.changeRole('1', 'bob', 'admin')],
  ['removeMember', (http) => http.removeMember('1', 'bob')],
];

const NOT_OURS = { name: 'ChatError', code: 'network', retryable: true, status: null };

describe.each(CALLS)('a 200 that the server did not say, to %s', (_, ask) => {
  it.each([
    ['a page of HTML', { text: '<!doctype html><title>Sign in</title>' }],
    ['nothing', { text: '' }],
    ['null', { body: null }],
    ['an empty object', { body: {} }],
    ['a list of something else', { body: [{}] }],
    ['a string', { body: 'ok' }],
  ])('is as no answer where it is %s', async (_, answer) => {
    const { server, http } = httpTo();
    server.api.trouble(/rooms/, { status: 200, ...answer }, 1);
    await expect(answerTo(ask(http))).rejects.toMatchObject(NOT_OURS);
    // And the same call is answered when the server itself does so.
    await expect(answerTo(ask(http))).resolves.not.toThrow();
  });
});

describe('a room or a member', () => {
  const room = { roomId: '1', name: 'Room 1', createdAt: '2026-01-05T09:00:00.000Z' };

  it.each(['roomId', 'name', 'createdAt'])('without %s is none', async (name) => {
    const { server, http } = httpTo();
    server.api.trouble(/rooms/, { status: 200, body: { ...room, [name]: undefined } }, 1);
    await expect(answerTo(http.room('1'))).rejects.toMatchObject(NOT_OURS);
    server.api.trouble(/rooms/, { status: 200, body: [room, { ...room, [name]: null }] }, 1);
    await expect(answerTo(http.rooms())).rejects.toMatchObject(NOT_OURS);
  });

  it.each(['user', 'role'])('without %s is none', async (name) => {
    const { server, http } = httpTo();
    const body = { user: 'bob', role: 'member', [name]: undefined };
    server.api.trouble(/members/, { status: 200, body: [body] }, 1);
    await expect(answerTo(http.members('1'))).rejects.toMatchObject(NOT_OURS);
  });
});

describe('a page of history', () => {
  const whole = { messages: [message(1)], epoch: 'e1', lastOffset: 1 };

  it.each([
    ['without an epoch', { ...whole, epoch: undefined }],
    ['without its end', { ...whole, lastOffset: '1' }],
    ['without messages', { ...whole, messages: null }],
    ['with something else among its messages', { ...whole, messages: [message(1), {}] }],
    ['with a message without a place', { ...whole, messages: [{ ...message(1), offset: 0 }] }],
  ])('%s is none', async (_, body) => {
    const { server, http } = httpTo();
    server.api.trouble(/messages/, { status: 200, body }, 1);
    await expect(answerTo(http.history('1', { limit: 50 }))).rejects.toMatchObject(NOT_OURS);
  });

  it('may be empty, and may hold what is not known yet', async () => {
    const { server, http } = httpTo();
    const bodies = [
      { messages: [], epoch: 'e1', lastOffset: 0 },
      { ...whole, messages: [message(1, { type: 'of tomorrow' })], more: true },
    ];
    for (const body of bodies) {
      server.api.trouble(/messages/, { status: 200, body }, 1);
      expect(await answerTo(http.history('1', { limit: 50 }))).toEqual(body);
    }
  });
});
