import { describe, expect, it, vi } from 'vitest';
import { TokenRenewal } from '../../src/connection/token-renewal.js';
import { Tokens } from '../../src/tokens.js';
import { BROKEN, FakeLink } from '../support/fake-link.js';
import { pass, virtualTime } from '../support/time.js';
import { jwt, TokenDesk, tokenOf } from '../support/token-desk.js';

virtualTime();

const DAY_MS = 86_400_000;

function renewing(lifetimeMs: number) {
  const desk = new TokenDesk();
  const link = new FakeLink();
  const token = tokenOf('alice', Date.now() + lifetimeMs);
  desk.lifetimeMs = lifetimeMs;
  const renewal = new TokenRenewal(new Tokens(desk.getToken), link.asLink, token);
  return { desk, link, renewal };
}

describe('the renewal of a token', () => {
  it.each([
    ['a minute before its end', 600_000, 540_000],
    ['when a quarter of its time is left, if it is a short one', 40_000, 30_000],
    ['in time also where it lasts longer than timers do', 40 * DAY_MS, 40 * DAY_MS - 60_000],
  ])('is made %s', async (_, lifetimeMs, atMs) => {
    const { link, desk } = renewing(lifetimeMs);
    await pass(atMs - 1_000);
    expect(link.sent).toHaveLength(0);
    await pass(1_000);
    expect(link.sent).toHaveLength(1);
    expect(link.sent[0]).toMatchObject({
      destination: '/app/auth',
      headers: { Authorization: desk.given[0] },
    });
  });

  it('plans the next one from the new token', async () => {
    const { link } = renewing(600_000);
    await pass(540_000);
    link.answer();
    await pass(539_000);
    expect(link.sent).toHaveLength(1);
    await pass(1_000);
    expect(link.sent).toHaveLength(2);
  });

  it('is tried again after 5 s when there is no token, or the server does not take it', async () => {
    const { desk, link } = renewing(600_000);
    desk.failure = new Error('no network');
    await pass(550_500);
    expect(desk.requests).toHaveLength(3);
    desk.failure = null;
    await pass(5_000);
    expect(link.sent).toHaveLength(1);
    link.answer(BROKEN);
    await pass(5_000);
    expect(link.sent).toHaveLength(2);
  });

  it('is given up in the last moments of the token', async () => {
    const { desk } = renewing(600_000);
    desk.failure = new Error('no network');
    await pass(DAY_MS);
    expect(desk.requests).toHaveLength(12);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['says when it was issued', true, 60_000],
    ['does not say so', false, 5_000],
  ])('is not made all the time by a clock that is ahead, where a token %s', async (_, told, ms) => {
    const AHEAD_MS = 590_000;
    const given: string[] = [];
    const getToken = () => {
      const iat = (Date.now() - AHEAD_MS) / 1000;
      const claims = { sub: 'alice', exp: iat + 600, jti: given.length, ...(told && { iat }) };
      given.push(jwt(claims));
      return given.at(-1) ?? '';
    };
    const link = new FakeLink();
    const renewal = new TokenRenewal(new Tokens(getToken), link.asLink, getToken());
    for (let [tenths, answered] = [0, 0]; tenths < 3_000; tenths += 1) {
      await pass(100);
      if (link.sent.length > answered) link.answer();
      answered = link.sent.length;
    }
    renewal.stop();
    expect(link.sent.length).toBeGreaterThan(3);
    expect(link.sent.length).toBeLessThanOrEqual(1 + 300_000 / ms);
  });

  it.each([
    ['does not say when it ends', 'opaque'],
    ['seems to be over', tokenOf('alice', 0)],
  ])('is not planned for a token that %s', async (_, token) => {
    const desk = new TokenDesk();
    new TokenRenewal(new Tokens(desk.getToken), new FakeLink().asLink, token);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does nothing once it is stopped, not even with a token that comes then', async () => {
    const planned = renewing(600_000);
    planned.renewal.stop();
    expect(vi.getTimerCount()).toBe(0);

    const underWay = renewing(600_000);
    await vi.advanceTimersByTimeAsync(539_999);
    vi.advanceTimersByTime(1);
    underWay.renewal.stop();
    await pass(1_000);
    expect(underWay.desk.requests).toHaveLength(1);
    expect(underWay.link.sent).toHaveLength(0);
  });

  it('does not begin anew because the end of the connection fails it', async () => {
    const { link, renewal } = renewing(600_000);
    await pass(540_000);
    renewal.stop();
    link.answer(BROKEN);
    expect(vi.getTimerCount()).toBe(0);
  });
});
