import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionBanner } from '../src/connection/ConnectionBanner.js';
import { findNamed, named, press, render } from './render.js';

beforeEach(() => vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] }));
afterEach(() => vi.useRealTimers());

async function banner() {
  let signedOut = 0;
  const { client, container } = await render(
    <ConnectionBanner
      onSignOut={() => {
        signedOut += 1;
      }}
    />,
  );
  const status = () => container.querySelector('.banner [role=status]')?.textContent;
  const pass = (ms: number) => act(async () => void vi.advanceTimersByTime(ms));
  const lose = (more = {}) =>
    act(async () => {
      const now = Date.now();
      client.connection.change({
        state: 'reconnecting',
        lostAt: now,
        retryAt: now + 10_000,
        ...more,
      });
    });
  return { client, container, status, pass, lose, signedOut: () => signedOut };
}

describe('ConnectionBanner', () => {
  it('comes two seconds after the loss and goes on return', async () => {
    const { client, status, pass, lose } = await banner();
    await lose();
    await pass(1_900);
    expect(status()).toBe('');
    await pass(300);
    expect(status()).toBe('Reconnecting…');
    await act(async () =>
      client.connection.change({ state: 'online', lostAt: null, retryAt: null }),
    );
    expect(status()).toBe('');
    expect(findNamed('Try now')).toBeNull();
  });

  it('counts down outside of what is read aloud', async () => {
    const { container, status, pass, lose } = await banner();
    await lose();
    await pass(3_000);
    expect(container.querySelector('[aria-hidden=true].banner__count')?.textContent).toBe('in 7 s');
    await pass(2_000);
    expect(container.querySelector('.banner__count')?.textContent).toBe('in 5 s');
    expect(status()).toBe('Reconnecting…');
  });

  it('tries at once when asked to', async () => {
    const { client, pass, lose } = await banner();
    await lose();
    await pass(2_500);
    await press(named('Try now'));
    expect(client.calls).toContain('retry');
  });

  it('offers to sign in again when the session is over', async () => {
    const { pass, lose, status, signedOut } = await banner();
    await lose({ state: 'refused', retryAt: null, disconnect: { code: 4403, reason: '' } });
    await pass(2_500);
    expect(status()).toBe('Your session has ended.');
    await press(named('Sign in again'));
    expect(signedOut()).toBe(1);
  });
});
