/** Which banner the state of the connection calls for. */

import type { ConnectionSnapshot } from '@allibe/client';

/** Shorter breaks are nobody's business: the client comes back by itself. */
export const GRACE_MS = 2_000;

export type Banner =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'reconnecting'; readonly seconds: number | null }
  | { readonly kind: 'offline' }
  | { readonly kind: 'session-ended' }
  | { readonly kind: 'refused'; readonly code: string };

/** No token, a wrong one, an old one, a revoked one. */
const TOKEN_CODES: readonly number[] = [4401, 4402, 4403, 4407];

export function bannerFor(connection: ConnectionSnapshot, now: number): Banner | null {
  const { state, lostAt, retryAt, disconnect } = connection;
  if (lostAt !== null && now - lostAt < GRACE_MS) return null;
  switch (state) {
    case 'idle':
    case 'online':
      return null;
    case 'refused':
      // Without a disconnect it was `getToken` that had none.
      return disconnect === null || TOKEN_CODES.includes(disconnect.code)
        ? { kind: 'session-ended' }
        : { kind: 'refused', code: String(disconnect.code) };
    case 'offline':
      return { kind: 'offline' };
    case 'connecting':
      return lostAt === null ? null : { kind: 'connecting' };
    case 'reconnecting': {
      if (lostAt === null) return null;
      const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
      return { kind: 'reconnecting', seconds: seconds > 0 ? seconds : null };
    }
  }
}
