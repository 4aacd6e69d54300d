import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SignIn } from '../src/signin/SignIn.js';
import { named, press, render, type } from './render.js';

const USERS = [
  { user: 'alice', name: 'Alice' },
  { user: 'bob', name: 'Bob' },
];
const TOKEN = `x.${btoa(JSON.stringify({ sub: 'u1' })).replaceAll('=', '')}.x`;

beforeEach(() => window.history.replaceState(null, '', '/'));
afterEach(() => vi.unstubAllGlobals());

async function signIn(...answers: (() => Response)[]) {
  const onSignIn = vi.fn();
  vi.stubGlobal('fetch', async () => {
    const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
    if (!answer) throw new TypeError('Failed to fetch');
    return answer();
  });
  return { onSignIn, ...(await render(<SignIn onSignIn={onSignIn} />)) };
}

describe('SignIn', () => {
  it('lets one pick a user of the demo', async () => {
    const { onSignIn } = await signIn(() => Response.json(USERS));
    await press(named('BBob@bob'));
    expect(onSignIn).toHaveBeenCalledWith({ kind: 'demo', user: 'bob', name: 'Bob' });
  });

  it('is that user at once whom the address asks for', async () => {
    window.history.replaceState(null, '', '/?user=bob');
    const { onSignIn } = await signIn(() => Response.json(USERS));
    expect(onSignIn).toHaveBeenCalledWith({ kind: 'demo', user: 'bob', name: 'Bob' });
    expect(window.location.search).toBe('');
  });

  it('asks for a token where there is no demo', async () => {
    const { onSignIn, container } = await signIn(() => new Response('', { status: 404 }));
    await type(named('Access token'), 'nonsense');
    await press(named('Sign in'));
    expect(container.querySelector('[role=alert]')?.textContent).toContain('three parts');
    await type(named('Access token'), TOKEN);
    await press(named('Sign in'));
    expect(onSignIn).toHaveBeenCalledWith({ kind: 'token', user: 'u1', name: 'u1', token: TOKEN });
  });

  it('says that the server does not answer, and tries again', async () => {
    const { container } = await signIn(
      () => new Response('', { status: 500 }),
      () => Response.json(USERS),
    );
    expect(container.querySelector('[role=alert]')?.textContent).toContain('does not answer');
    await press(named('Try again'));
    expect(container.querySelectorAll('.user-card')).toHaveLength(2);
  });
});
