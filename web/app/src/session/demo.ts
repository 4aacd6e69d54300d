/** The demo's own two questions: who is there, and a token for one of them. */

import { ChatError, type GetToken, SignedOut } from '@allibe/client';
import type { Account } from './account.js';

export interface DemoUser {
  readonly user: string;
  readonly name: string;
}

/** Returns the demo's users, or null where the server is no demo. Throws `ChatError`. */
export async function demoUsers(signal?: AbortSignal): Promise<readonly DemoUser[] | null> {
  const response = await ask('/api/demo/users', signal);
  if (response.status === 404) return null;
  const found: unknown = response.ok ? await response.json().catch(() => null) : null;
  if (!Array.isArray(found)) throw failed(response);
  return found.filter(isDemoUser);
}

/** Returns how the client comes by its access tokens. */
export function tokensFor(account: Account): GetToken {
  if (account.kind === 'demo') return demoTokens(account.user);
  return ({ fresh }) => {
    // There is no other one, and the server did not take this one or will not much longer.
    if (fresh) throw new SignedOut();
    return account.token;
  };
}

function demoTokens(user: string): GetToken {
  let last: string | null = null;
  return async ({ fresh }) => {
    if (last !== null && !fresh) return last;
    const response = await ask(`/api/demo/token?user=${encodeURIComponent(user)}`);
    // Refused, not broken: the user, or the demo, is not there any more.
    if (response.status >= 400 && response.status < 500) throw new SignedOut();
    const found: unknown = response.ok ? await response.json().catch(() => null) : null;
    const token = (found as { token?: unknown } | null)?.token;
    if (typeof token !== 'string') throw failed(response);
    last = token;
    return token;
  };
}

async function ask(path: string, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(path, { signal: signal ?? null, cache: 'no-store' });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ChatError('network', 'The server does not answer.', true);
  }
}

function failed({ status }: Response): ChatError {
  return new ChatError('demo_unavailable', `The demo answered ${status}.`, true, null, status);
}

function isDemoUser(value: unknown): value is DemoUser {
  const { user, name } = (value ?? {}) as Record<string, unknown>;
  return typeof user === 'string' && typeof name === 'string';
}
