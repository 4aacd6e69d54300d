import { describe, expect, it, vi } from 'vitest';
import { SignedOut } from '../src/errors.js';
import { Http } from '../src/http.js';
import { Tokens } from '../src/tokens.js';
import { FakeRoom } from './support/fake-log.js';
import { answerTo, httpTo } from './support/http.js';
import { pass, virtualTime } from './support/time.js';

virtualTime();

const ROOM = new FakeRoom('1', ['alice']).asSeenBy('alice');

const BROWSER = { endpoint: 'https://push.test/1', keys: { p256dh: 'p', auth: 'a' } };
const QUIET = { from: '22:00', to: '07:00', timeZone: 'Asia/Seoul' };

describe('requests', () => {
  it.each([
    ['rooms', (http: Http) => http.rooms(), 'GET /rooms?limit=500', undefined],
    ['room', (http: Http) => http.room('1'), 'GET /rooms/1', undefined],
    [
      'createRoom',
      (http: Http) => http.createRoom({ name: 'New', members: ['bob'] }),
      'POST /rooms',
      { name: 'New', members: ['bob'] },
    ],
    [
      'history',
      (http: Http) => http.history('1', { limit: 50 }),
      'GET /rooms/1/messages?limit=50',
      undefined,
    ],
    [
      'history before',
      (http: Http) => http.history('1', { before: 7, limit: 50 }),
      'GET /rooms/1/messages?limit=50&before=7',
      undefined,
    ],
    [
      'history after the beginning',
      (http: Http) => http.history('1', { after: 0, limit: 200 }),
      'GET /rooms/1/messages?limit=200&after=0',
      undefined,
    ],
    ['members', (http: Http) => http.members('1'), 'GET /rooms/1/members?limit=500', undefined],
    [
      'addMember',
      (http: Http) => http.addMember('1', 'carol'),
      'POST /rooms/1/members',
      { user: 'carol', role: 'member' },
    ],
    [
      'changeRole',
      (http: Http) => http.changeRole('1', 'a/b c', 'admin'),
      'PUT /rooms/1/members/a%2Fb%20c',
      { role: 'admin' },
    ],
    [
      'removeMember',
      (http: Http) => http.removeMember('1', 'bob'),
      'DELETE /rooms/1/members/bob',
      undefined,
    ],
    ['muteRoom', (http: Http) => http.muteRoom('1'), 'PUT /rooms/1/mute', {}],
    [
      'muteRoom for a while',
      (http: Http) => http.muteRoom('1', new Date('2026-12-01T08:00:00Z')),
      'PUT /rooms/1/mute',
      { until: '2026-12-01T08:00:00.000Z' },
    ],
    ['unmuteRoom', (http: Http) => http.unmuteRoom('1'), 'DELETE /rooms/1/mute', undefined],
    ['pushKey', (http: Http) => http.pushKey(), 'GET /push-key', undefined],
    [
      'putPushSubscription',
      (http: Http) => http.putPushSubscription(BROWSER),
      'PUT /push-subscriptions',
      BROWSER,
    ],
    [
      'deletePushSubscription',
      (http: Http) => http.deletePushSubscription(BROWSER.endpoint),
      'DELETE /push-subscriptions',
      { endpoint: BROWSER.endpoint },
    ],
    [
      'notificationSettings',
      (http: Http) => http.notificationSettings(),
      'GET /notification-settings',
      undefined,
    ],
    [
      'changeNotificationSettings',
      (http: Http) => http.changeNotificationSettings({ quietHours: QUIET }),
      'PUT /notification-settings',
      { quietHours: QUIET },
    ],
  ])('%s is asked for as the API has it', async (_, ask, line, body) => {
    const { server, desk, http } = httpTo();
    await answerTo(ask(http) as Promise<unknown>);
    const [request] = server.api.requests;
    expect(`${request?.method} ${request?.path}`).toBe(line);
    expect(request?.body).toEqual(body);
    expect(request?.token).toBe(desk.given[0]);
  });

  it('say what they bring, and want nothing from a cache', async () => {
    const answers = [Response.json(ROOM), new Response(null, { status: 204 })];
    const fetch = vi.fn(async () => answers.shift() as Response);
    const http = new Http({ url: 'https://chat.test/api', tokens: new Tokens(() => 't'), fetch });
    await http.createRoom({ name: 'New' });
    await http.removeMember('1', 'bob');
    expect(fetch.mock.calls).toMatchObject([
      [
        'https://chat.test/api/rooms',
        {
          headers: { Authorization: 'Bearer t', 'Content-Type': 'application/json' },
          cache: 'no-store',
        },
      ],
      ['https://chat.test/api/rooms/1/members/bob', { headers: { Authorization: 'Bearer t' } }],
    ]);
    const [, request] = fetch.mock.calls[1] as unknown as [string, RequestInit];
    expect(request.headers).not.toHaveProperty('Content-Type');
    expect(request.body).toBeNull();
  });
});

describe('lists', () => {
  it('are read to their end, and not without end', async () => {
    const { server, http } = httpTo();
    for (let number = 2; number <= 7; number += 1) server.room(`${number}`);
    server.api.pageSize = 3;
    expect(await answerTo(http.rooms())).toHaveLength(7);
    expect(server.api.requests).toHaveLength(3);
    const link = '<https://chat.test/api/chat/rooms?limit=500&after=x>; rel="next"';
    server.api.trouble(/rooms/, { status: 200, body: [ROOM], link });
    const endless = http.rooms();
    await pass(1_000);
    expect(await endless).toHaveLength(20);
  });

  it.each([
    ['<https://other.host/prefix/rooms?limit=5&after=7>; rel="next"', '?limit=5&after=7'],
    ['</rooms?after=7>; rel=next', '?after=7'],
    ['</rooms?after=1>; rel="prev", </rooms?after=9>; rel="next"', '?after=9'],
    ['</rooms?after=1>; rel="prev"', null],
    ['</rooms>; rel="next"', null],
  ])('go on where %s says', async (link, query) => {
    const { server, http } = httpTo();
    server.api.trouble(/limit=500/, { status: 200, body: [], link }, 1);
    await answerTo(http.rooms());
    expect(server.api.requests.slice(1).map((one) => one.path)).toEqual(
      query === null ? [] : [`/rooms${query}`],
    );
  });
});

describe('a token that is refused', () => {
  it('is replaced once, and the request made again', async () => {
    const { server, desk, http } = httpTo();
    server.api.trouble(/rooms/, { status: 401, body: { code: 'token_expired' } }, 1);
    await answerTo(http.rooms());
    expect(server.api.requests.map((one) => one.token)).toEqual(desk.given);
    expect(desk.requests).toEqual([{ fresh: false }, { fresh: true }]);
  });

  it('again is an error', async () => {
    const { server, http } = httpTo();
    const body = { code: 'token_invalid', detail: 'Not one of ours.', retryable: false };
    server.api.trouble(/rooms/, { status: 401, body });
    await expect(answerTo(http.rooms())).rejects.toMatchObject({
      name: 'ChatError',
      code: 'token_invalid',
      status: 401,
    });
    expect(server.api.requests).toHaveLength(2);
  });

  it.each([
    [new SignedOut(), false],
    [new Error('no network'), true],
  ])('where none is to be had (%s) is an error too', async (failure, retryable) => {
    const { desk, http } = httpTo();
    desk.failure = failure;
    await expect(answerTo(http.rooms())).rejects.toMatchObject({
      name: 'ChatError',
      code: 'token_required',
      retryable,
    });
  });

  it('where getToken does not answer is a timeout', async () => {
    const { desk, http } = httpTo();
    desk.hangs = true;
    const failed = expect(http.rooms()).rejects.toMatchObject({ code: 'timeout', retryable: true });
    await pass(15_000);
    await failed;
  });
});
