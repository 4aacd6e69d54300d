/** Replaces the token of a living connection before it ends (`/app/auth`). */

import { claimsOf, msLeft, type Tokens } from '../tokens.js';
import type { Link } from './link.js';

/** Renewed this long before its end, or when a quarter of its time is left if that is later. */
const AHEAD_MS = 60_000;

/** Between attempts that failed. */
const AGAIN_MS = 5_000;

/** Lifetime of a token that does not say when it was issued: as short as they come. */
const SHORT_LIFE_MS = 20_000;

/** The longest that timers take (2^31 ms); a token of a month is looked at again then. */
const LONGEST_MS = 2_000_000_000;

export class TokenRenewal {
  readonly #tokens: Tokens;
  readonly #link: Link;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(tokens: Tokens, link: Link, token: string) {
    this.#tokens = tokens;
    this.#link = link;
    this.#plan(token);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** `least`: milliseconds before which a token that has only just come is not replaced again. */
  #plan(token: string, least = 0): void {
    const left = msLeft(token);
    // The server took it, so where it seems to be over this clock is wrong, and no use for
    // planning. The server closes with 4403 in time, and we come back with a new token.
    if (left <= 0 || left === Number.POSITIVE_INFINITY) return;
    this.#at(Math.max(least, left - Math.min(AHEAD_MS, left / 4)), token);
  }

  #at(ms: number, token: string): void {
    const early = ms > LONGEST_MS;
    this.#timer = setTimeout(
      () => (early ? this.#plan(token) : void this.#renew(token)),
      Math.min(ms, LONGEST_MS),
    );
  }

  async #renew(old: string): Promise<void> {
    let token: string;
    try {
      token = await this.#tokens.get(old);
    } catch {
      this.#again(old);
      return;
    }
    if (this.#stopped) return;
    const headers = { Authorization: token };
    this.#link.send(
      '/app/auth',
      {},
      (error) => (error ? this.#again(old) : this.#plan(token, leastOf(token))),
      headers,
    );
  }

  #again(old: string): void {
    // Near the end there is nothing left to save: a new connection brings a new token.
    if (!this.#stopped && msLeft(old) > AGAIN_MS) this.#at(AGAIN_MS, old);
  }
}

/** A clock that is ahead makes every new token look old: it would be replaced again and again. */
function leastOf(token: string): number {
  const { iat, exp } = claimsOf(token);
  const isTold = typeof iat === 'number' && typeof exp === 'number';
  return Math.min(AHEAD_MS, (isTold ? (exp - iat) * 1000 : SHORT_LIFE_MS) / 4);
}
