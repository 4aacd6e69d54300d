import type { ConnectionSnapshot } from '@allibe/client';
import { describe, expect, it } from 'vitest';
import { bannerFor, GRACE_MS } from '../src/connection/banner.js';

const NOW = 1_000_000;

function at(given: Partial<ConnectionSnapshot>) {
  return bannerFor(
    { state: 'online', attempt: 0, retryAt: null, lostAt: null, disconnect: null, ...given },
    NOW,
  );
}

describe('bannerFor', () => {
  it('says nothing while there is a connection, or nobody needs one', () => {
    expect(at({ state: 'online' })).toBeNull();
    expect(at({ state: 'idle', disconnect: { code: 1006, reason: '' } })).toBeNull();
    expect(at({ state: 'connecting' })).toBeNull();
  });

  it('says nothing for two seconds after the loss', () => {
    const lost = { state: 'reconnecting', retryAt: NOW + 9000 } as const;
    expect(at({ ...lost, lostAt: NOW - GRACE_MS + 1 })).toBeNull();
    expect(at({ ...lost, lostAt: NOW - GRACE_MS })).toEqual({ kind: 'reconnecting', seconds: 9 });
  });

  it('counts down to the next attempt, and not during it', () => {
    const lost = { state: 'reconnecting', lostAt: NOW - 5000 } as const;
    expect(at({ ...lost, retryAt: NOW + 1200 })).toEqual({ kind: 'reconnecting', seconds: 2 });
    expect(at({ ...lost, retryAt: NOW - 10 })).toEqual({ kind: 'reconnecting', seconds: null });
    expect(at({ ...lost, retryAt: null })).toEqual({ kind: 'reconnecting', seconds: null });
  });

  it('tells a slow first attempt from a loss', () => {
    expect(at({ state: 'connecting', lostAt: NOW - 3000 })).toEqual({ kind: 'connecting' });
  });

  it('says offline where the browser does', () => {
    expect(at({ state: 'offline', lostAt: NOW - 3000 })).toEqual({ kind: 'offline' });
  });

  it.each([4401, 4402, 4403, 4407])('says that the session ended after %d', (code) => {
    const disconnect = { code, reason: '' };
    expect(at({ state: 'refused', disconnect })).toEqual({ kind: 'session-ended' });
  });

  it('says so too when there was no token to be had', () => {
    expect(at({ state: 'refused', lostAt: NOW - 3000 })).toEqual({ kind: 'session-ended' });
  });

  it('names the code of any other refusal', () => {
    const disconnect = { code: 4405, reason: 'refused' };
    expect(at({ state: 'refused', disconnect })).toEqual({ kind: 'refused', code: '4405' });
  });
});
