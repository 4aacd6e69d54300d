/** Who is signed in in this tab, and what is kept of it. */

import { claimsOf } from '@allibe/client';
import { keep, kept } from '../ui/stored.js';

interface Person {
  readonly user: string;
  readonly name: string;
}

/** `demo`: the server hands out tokens. `token`: there is the one that was pasted, and no other. */
export type Account =
  | (Person & { readonly kind: 'demo' })
  | (Person & { readonly kind: 'token'; readonly token: string });

const KEY = 'allibe.account';

/** Of the tab, not of the browser: two tabs can be two users. */
const storage = () => window.sessionStorage;

export function keepAccount(account: Account | null): void {
  keep(storage, KEY, account);
}

export function keptAccount(): Account | null {
  const found = kept(storage, KEY);
  if (typeof found !== 'object' || found === null) return null;
  const { kind, user, name, token } = found as Record<string, unknown>;
  if (typeof user !== 'string' || typeof name !== 'string') return null;
  if (kind === 'demo') return { kind, user, name };
  return kind === 'token' && typeof token === 'string' ? { kind, user, name, token } : null;
}

/**
 * Returns the account of a pasted token, or what is wrong with it.
 *
 * Only the server can tell whether it is good; this finds what cannot be.
 */
export function accountOf(pasted: string, now: number): Account | 'malformed' | 'expired' {
  const token = pasted.trim().replace(/^Bearer\s+/i, '');
  if (!/^[^.]+\.[^.]+\.[^.]+$/.test(token)) return 'malformed';
  const { sub, exp, name } = claimsOf(token);
  if (typeof sub !== 'string' || sub === '') return 'malformed';
  if (typeof exp === 'number' && exp * 1000 <= now) return 'expired';
  return { kind: 'token', user: sub, name: typeof name === 'string' && name ? name : sub, token };
}
