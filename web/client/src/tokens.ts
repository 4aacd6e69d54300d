/**
 * Access tokens: asked of the caller's `getToken`, one request at a time, kept until they end.
 *
 * A token is opaque to clients. Where it is a JWT, its `exp` says when to renew it and its `sub`
 * whose it is; both are hints, and the server alone decides.
 */

import { ChatError } from './errors.js';
import type { GetToken } from './types.js';

/** Longest wait for `getToken`. */
const GET_TOKEN_MS = 15_000;

/** A token is not used for HTTP when less than this is left of it: it would end on the way. */
const LAST_MOMENTS_MS = 5_000;

/** What a JWT says; not checked in any way. */
export interface Claims {
  readonly sub?: unknown;
  readonly exp?: unknown;
  readonly iat?: unknown;
  readonly name?: unknown;
}

export class Tokens {
  readonly #getToken: GetToken;
  readonly #signedIn: (user: string) => void;
  #token: string | null = null;
  /** Whether this machine's clock can say when the token ends. */
  #clockIsRight = true;
  #asked: Promise<string> | null = null;

  /** `signedIn` is called with the user of each new token that says whose it is. */
  constructor(getToken: GetToken, signedIn: (user: string) => void = () => {}) {
    this.#getToken = getToken;
    this.#signedIn = signedIn;
  }

  /**
   * Returns a token; never `refused`, which the server did not take or which is about to end.
   * Rejects with what `getToken` threw, or `ChatError` `timeout`, `token_invalid`.
   */
  async get(refused: string | null = null): Promise<string> {
    const kept = this.#token;
    if (kept !== null && kept !== refused && !this.#isOver(kept)) return kept;
    this.#asked ??= this.#ask(kept !== null || refused !== null);
    return await this.#asked;
  }

  /** The user of the last token, or null where it does not say. */
  user(): string | null {
    return this.#token === null ? null : userOf(this.#token);
  }

  #isOver(token: string): boolean {
    return this.#clockIsRight && msLeft(token) <= LAST_MOMENTS_MS;
  }

  async #ask(fresh: boolean): Promise<string> {
    try {
      // In a microtask: what it throws must not come before `#asked` is set.
      const asked = Promise.resolve().then(() => this.#getToken({ fresh }));
      const token = await inTime(asked, GET_TOKEN_MS);
      this.#token = checked(token);
      // Over already by this clock: then it is the clock that is wrong.
      this.#clockIsRight = msLeft(this.#token) > LAST_MOMENTS_MS;
      const user = userOf(this.#token);
      if (user !== null) this.#signedIn(user);
      return this.#token;
    } finally {
      this.#asked = null;
    }
  }
}

/** It goes into a header: a line break in it would end that, and hide the headers after it. */
function checked(token: unknown): string {
  const bare = typeof token === 'string' ? token.trim().replace(/^Bearer\s+/i, '') : '';
  if (/^[\x21-\x7e]+$/.test(bare)) return bare;
  throw new ChatError('token_invalid', 'getToken returned something that is no token.', false);
}

/** Milliseconds until the token ends by this machine's clock; infinite where it does not say. */
export function msLeft(token: string): number {
  const { exp } = claimsOf(token);
  return typeof exp === 'number' ? exp * 1000 - Date.now() : Number.POSITIVE_INFINITY;
}

/** Returns the token's `sub`, or null. */
export function userOf(token: string): string | null {
  const { sub } = claimsOf(token);
  return typeof sub === 'string' ? sub : null;
}

/** Returns what the token says, nothing where it is no JWT. */
export function claimsOf(token: string): Claims {
  try {
    const part = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ChatError('timeout', 'getToken did not answer in time.', true);
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
