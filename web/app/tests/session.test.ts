import { readdirSync, readFileSync } from 'node:fs';
import { type ChatClient, ChatError, SignedOut } from '@allibe/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Account, accountOf, keepAccount, keptAccount } from '../src/session/account.js';
import { demoUsers, tokensFor } from '../src/session/demo.js';
import { Sessions } from '../src/session/session.js';

const encode = (claims: unknown) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(claims))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
const jwt = (claims: unknown) => `${encode({ alg: 'HS256' })}.${encode(claims)}.c2ln`;

const ALICE: Account = { kind: 'demo', user: 'alice', name: 'Alice' };

afterEach(() => {
  sessionStorage.clear();
  vi.unstubAllGlobals();
  window.history.replaceState(null, '', '/');
});

describe('accountOf', () => {
  it('reads user and name from the token, with or without Bearer', () => {
    const token = jwt({ sub: 'u1', name: '박지우', exp: 2000 });
    expect(accountOf(`  Bearer ${token}\n`, 1_000_000)).toEqual({
      kind: 'token',
      user: 'u1',
      name: '박지우',
      token,
    });
    expect(accountOf(jwt({ sub: 'u1' }), 0)).toMatchObject({ name: 'u1' });
  });

  it('finds what cannot be good', () => {
    expect(accountOf(jwt({ sub: 'u1', exp: 2000 }), 2_000_000)).toBe('expired');
    for (const wrong of [
      '',
      'a.b',
      'a.b.c',
      jwt({ sub: 'u1' }).replace(/\.\w+$/, ''),
      jwt({ sub: 'u1' }).replace(/^\w+/, ''),
      jwt({}),
      jwt(null),
      `${encode({})}.${encode('x')}.x`,
    ]) {
      expect(accountOf(wrong, 0)).toBe('malformed');
    }
  });
});

describe('tokens', () => {
  it('are taken apart by the client alone', () => {
    const src = `${import.meta.dirname}/../src`;
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
    const decoding = files.filter(
      (name) => /\.tsx?$/.test(name) && readFileSync(`${src}/${name}`, 'utf8').includes('atob('),
    );
    expect(decoding).toEqual([]);
  });
});

describe('the kept account', () => {
  it('is of the tab', () => {
    keepAccount(ALICE);
    expect(keptAccount()).toEqual(ALICE);
    keepAccount(null);
    expect(keptAccount()).toBeNull();
  });

  it('is none where something else is kept', () => {
    for (const other of [
      '{',
      'null',
      '"x"',
      '{"kind":"token","user":"a","name":"A"}',
      '{"user":1}',
    ]) {
      sessionStorage.setItem('allibe.account', other);
      expect(keptAccount()).toBeNull();
    }
  });
});

describe('demo users', () => {
  const answer = (response: Response | Error) =>
    vi.stubGlobal('fetch', async () => {
      if (response instanceof Error) throw response;
      return response;
    });

  it('are those of the server', async () => {
    answer(Response.json([{ user: 'alice', name: 'Alice' }, { nonsense: 1 }]));
    expect(await demoUsers()).toEqual([{ user: 'alice', name: 'Alice' }]);
  });

  it('are none where it is no demo, and an error where it does not answer', async () => {
    answer(new Response('', { status: 404 }));
    expect(await demoUsers()).toBeNull();
    answer(new Response('', { status: 503 }));
    await expect(demoUsers()).rejects.toBeInstanceOf(ChatError);
    answer(new TypeError('Failed to fetch'));
    await expect(demoUsers()).rejects.toMatchObject({ code: 'network' });
  });
});

describe('tokens', () => {
  it('of a demo are asked for once, and again when a fresh one is wanted', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (url: string) => {
      asked.push(url);
      return Response.json({ token: `t-${asked.length}` });
    });
    const get = tokensFor(ALICE);
    expect(await get({ fresh: false })).toBe('t-1');
    expect(await get({ fresh: false })).toBe('t-1');
    expect(await get({ fresh: true })).toBe('t-2');
    expect(asked[0]).toBe('/api/demo/token?user=alice');
  });

  it('of a demo that does not know the user are not to be had', async () => {
    vi.stubGlobal('fetch', async () => new Response('', { status: 400 }));
    await expect(tokensFor(ALICE)({ fresh: false })).rejects.toBeInstanceOf(SignedOut);
  });

  it('that were pasted are the one, until it is no good', () => {
    const get = tokensFor({ kind: 'token', user: 'a', name: 'A', token: 't' });
    expect(get({ fresh: false })).toBe('t');
    expect(() => get({ fresh: true })).toThrow(SignedOut);
  });
});

describe('sessions', () => {
  function sessions() {
    const closed: string[] = [];
    const made = new Sessions(
      ({ user }) => ({ close: () => closed.push(user) }) as unknown as ChatClient,
    );
    return { sessions: made, closed, user: () => made.current.get()?.account.user };
  }

  it('are there again after a reload', () => {
    sessions().sessions.signIn(ALICE);
    expect(sessions().user()).toBe('alice');
  });

  it('close the client of the one before', () => {
    const { sessions: made, closed, user } = sessions();
    made.signIn(ALICE);
    made.signIn({ ...ALICE, user: 'bob' });
    made.signOut();
    expect(closed).toEqual(['alice', 'bob']);
    expect(user()).toBeUndefined();
    expect(keptAccount()).toBeNull();
  });

  it('make room for another user that the address asks for', () => {
    keepAccount(ALICE);
    window.history.replaceState(null, '', '/?user=bob#/rooms/1');
    expect(sessions().user()).toBeUndefined();
    window.history.replaceState(null, '', '/?user=alice#/rooms/1');
    expect(sessions().user()).toBe('alice');
    expect(window.location.search).toBe('');
    expect(window.location.hash).toBe('#/rooms/1');
  });
});
