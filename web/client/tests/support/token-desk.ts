/** Hands out tokens as an application's `getToken` does, and tells what it was asked. */

import type { TokenRequest } from '../../src/index.js';

/** A JWT, as far as anybody here looks at it. `serial` makes it another one. */
export function tokenOf(user: string, expiresAt: number, serial = 0): string {
  return jwt({ sub: user, exp: expiresAt / 1000, jti: serial });
}

/** RFC 7515: base64url of UTF-8, without padding. */
export function jwt(claims: object): string {
  const part = (content: object) =>
    btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(content))))
      .replace(/\+/g, '-')
      .replace(/\//g, '_')
      .replace(/=/g, '');
  return `${part({ alg: 'none' })}.${part(claims)}.signature`;
}

export function claimsIn(token: string): { sub: string; exp: number } {
  const [, claims = ''] = token.split('.');
  return JSON.parse(atob(claims.replace(/-/g, '+').replace(/_/g, '/')));
}

export class TokenDesk {
  readonly requests: TokenRequest[] = [];
  readonly given: string[] = [];
  lifetimeMs = 3_600_000;
  /** Thrown instead of an answer. */
  failure: Error | null = null;
  /** Never answers. */
  hangs = false;

  constructor(readonly user = 'alice') {}

  readonly getToken = (request: TokenRequest): string | Promise<string> => {
    this.requests.push(request);
    if (this.failure) throw this.failure;
    if (this.hangs) return new Promise(() => {});
    const token = tokenOf(this.user, Date.now() + this.lifetimeMs, this.requests.length);
    this.given.push(token);
    return token;
  };
}
