/** Who is signed in in this tab, and what is kept of it. */

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
  const claims = claimsOf(token);
  if (typeof claims?.sub !== 'string' || claims.sub === '') return 'malformed';
  if (typeof claims.exp === 'number' && claims.exp * 1000 <= now) return 'expired';
  const name = typeof claims.name === 'string' && claims.name ? claims.name : claims.sub;
  return { kind: 'token', user: claims.sub, name, token };
}

function claimsOf(token: string): Record<string, unknown> | null {
  const [, payload, signature] = token.split('.');
  if (!payload || !signature) return null;
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' ? (claims as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
