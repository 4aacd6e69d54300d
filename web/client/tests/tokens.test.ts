import { describe, expect, it, vi } from 'vitest';
import { SignedOut } from '../src/errors.js';
import { claimsOf, msLeft, Tokens, userOf } from '../src/tokens.js';
import type { GetToken } from '../src/types.js';
import { pass, virtualTime } from './support/time.js';
import { jwt, TokenDesk, tokenOf } from './support/token-desk.js';

virtualTime();

function tokensOf(desk = new TokenDesk()) {
  const users: string[] = [];
  return { desk, users, tokens: new Tokens(desk.getToken, (user) => users.push(user)) };
}

describe('tokens', () => {
  it('are asked for once, and kept', async () => {
    const { desk, tokens } = tokensOf();
    const [first, second] = await Promise.all([tokens.get(), tokens.get()]);
    expect([first, second, await tokens.get()]).toEqual(Array(3).fill(desk.given[0]));
    expect(desk.requests).toEqual([{ fresh: false }]);
  });

  it('that were refused are not given again', async () => {
    const { desk, tokens } = tokensOf();
    const refused = await tokens.get();
    const [one, other] = await Promise.all([tokens.get(refused), tokens.get(refused)]);
    expect(one).toBe(desk.given[1]);
    expect(other).toBe(one);
    expect(desk.requests).toEqual([{ fresh: false }, { fresh: true }]);
    // Somebody else has replaced it already.
    expect(await tokens.get(refused)).toBe(one);
  });

  it('are replaced in their last five seconds', async () => {
    const desk = new TokenDesk();
    desk.lifetimeMs = 20_000;
    const { tokens } = tokensOf(desk);
    await tokens.get();
    await pass(14_900);
    expect(await tokens.get()).toBe(desk.given[0]);
    await pass(200);
    expect(await tokens.get()).toBe(desk.given[1]);
    expect(desk.requests[1]).toEqual({ fresh: true });
  });

  it('may come with "Bearer" before them', async () => {
    expect(await new Tokens(() => 'Bearer a.b.c').get()).toBe('a.b.c');
    expect(await new Tokens(async () => 'bearer a.b.c').get()).toBe('a.b.c');
  });

  it('may have blanks and line breaks round them, as files have', async () => {
    for (const given of ['a.b.c\n', '\r\n a.b.c \t', ' Bearer  a.b.c\n']) {
      expect(await new Tokens(() => given).get()).toBe('a.b.c');
    }
  });

  it.each([
    ['a line break in it', 'a.b\nc'],
    ['a line break and a header in it', 'a.b.c\nx-soft-errors:false'],
    ['a blank in it', 'a b'],
    ['a NUL in it', 'a\0b'],
    ['letters that no header can hold', 'tökén'],
    ['nothing in it', ' \n'],
    ['no text', undefined],
    ['an object', { token: 'a.b.c' }],
    ['null', null],
  ])('that have %s are none: asking again is useless', async (_, given) => {
    const desk = vi.fn(() => given) as unknown as GetToken;
    const users: string[] = [];
    const tokens = new Tokens(desk, (user) => users.push(user));
    const invalid = { name: 'ChatError', code: 'token_invalid', retryable: false };
    await expect(tokens.get()).rejects.toMatchObject(invalid);
    expect([users, tokens.user()]).toEqual([[], null]);
    // Nothing of it was kept.
    await expect(tokens.get()).rejects.toMatchObject(invalid);
    expect(desk).toHaveBeenCalledTimes(2);
  });

  it('that are none leave the last one as it was', async () => {
    const given = [tokenOf('alice', Date.now() + 60_000), 'a\nb'];
    const tokens = new Tokens(() => given.shift() ?? '');
    const first = await tokens.get();
    await expect(tokens.get(first)).rejects.toMatchObject({ code: 'token_invalid' });
    expect(tokens.user()).toBe('alice');
    expect(await tokens.get()).toBe(first);
  });

  it('that say whose they are tell it, each time', async () => {
    const { users, tokens } = tokensOf();
    expect(tokens.user()).toBeNull();
    await tokens.get(await tokens.get());
    expect(users).toEqual(['alice', 'alice']);
    expect(tokens.user()).toBe('alice');
    const opaque = new Tokens(() => 'opaque');
    await opaque.get();
    expect(opaque.user()).toBeNull();
  });

  it('that cannot be had reject with what getToken threw, and are asked for again', async () => {
    const desk = new TokenDesk();
    desk.failure = new SignedOut();
    const { tokens } = tokensOf(desk);
    await expect(tokens.get()).rejects.toBe(desk.failure);
    await expect(tokens.get()).rejects.toBe(desk.failure);
    desk.failure = null;
    expect(await tokens.get()).toBe(desk.given[0]);
    expect(desk.requests.map((one) => one.fresh)).toEqual([false, false, false]);
  });

  it('that do not come within 15 s reject, and what comes later is dropped', async () => {
    let answer: ((token: string) => void) | undefined;
    const tokens = new Tokens(() => new Promise((resolve) => (answer = resolve)));
    const first = expect(tokens.get()).rejects.toMatchObject({ code: 'timeout', retryable: true });
    await pass(15_000);
    await first;
    answer?.(tokenOf('late', 0));
    await pass();
    expect(tokens.user()).toBeNull();
  });
});

describe('a clock that is ahead', () => {
  it('of the whole life of a token asks for no fresh one, until the server refuses it', async () => {
    const desk = new TokenDesk();
    desk.lifetimeMs = -60_000;
    const { tokens } = tokensOf(desk);
    const first = await tokens.get();
    for (let time = 0; time < 5; time += 1) {
      await pass(10_000);
      expect(await tokens.get()).toBe(first);
    }
    expect(desk.requests).toEqual([{ fresh: false }]);
    expect(await tokens.get(first)).toBe(desk.given[1]);
    expect(desk.requests).toEqual([{ fresh: false }, { fresh: true }]);
    expect(await tokens.get()).toBe(desk.given[1]);
  });

  it('of almost the whole life of a token asks for no fresh one either', async () => {
    const desk = new TokenDesk();
    desk.lifetimeMs = 3_000;
    const { tokens } = tokensOf(desk);
    const first = await tokens.get();
    expect([await tokens.get(), await tokens.get()]).toEqual([first, first]);
    expect(desk.requests).toHaveLength(1);
  });

  it('and set right is believed again with the next token', async () => {
    const desk = new TokenDesk();
    desk.lifetimeMs = 5_000;
    const { tokens } = tokensOf(desk);
    const first = await tokens.get();
    desk.lifetimeMs = 20_000;
    const second = await tokens.get(first);
    await pass(14_999);
    expect(await tokens.get()).toBe(second);
    await pass(1);
    expect(await tokens.get()).toBe(desk.given[2]);
  });
});

describe('what a token says', () => {
  it('is its end, by this clock', async () => {
    const token = tokenOf('alice', Date.now() + 90_000);
    expect(msLeft(token)).toBe(90_000);
    await pass(100_000);
    expect(msLeft(token)).toBe(-10_000);
  });

  it('is all of its claims', () => {
    const claims = { sub: 'alice', exp: 7, name: '앨리스', aud: ['chat'] };
    expect(claimsOf(jwt(claims))).toEqual(claims);
    for (const token of ['', 'opaque', 'a.b.c', '.bnVsbA.']) expect(claimsOf(token)).toEqual({});
  });

  it('is its user, in any script', () => {
    // Base64url with both of its own characters, and without padding.
    for (const sub of ['alice', '한국 사용자', '??>>~~']) expect(userOf(jwt({ sub }))).toBe(sub);
  });

  it.each(['', 'opaque', 'a.b.c', jwt([]), jwt({}), jwt({ sub: 7, exp: 'soon' }), '.bnVsbA.'])(
    'is nothing where it is no such token: %j',
    (token) => {
      expect(msLeft(token)).toBe(Number.POSITIVE_INFINITY);
      expect(userOf(token)).toBeNull();
    },
  );
});
