/** The state of the connection, for a banner or a status light. */

import type { ConnectionSnapshot } from '@allibe/client';
import { useCallback, useMemo } from 'react';
import { useChatClient } from './provider.js';
import { useReadable } from './use-readable.js';

const ON_SERVER: ConnectionSnapshot = Object.freeze({
  state: 'idle',
  attempt: 0,
  retryAt: null,
  lostAt: null,
  disconnect: null,
});

export interface UseConnectionResult extends ConnectionSnapshot {
  /** Tries to connect now (from `reconnecting`, `offline`, `refused`). The same function per client. */
  readonly retry: () => void;
}

/**
 * The state of the client's connection, rendered again when it changes.
 *
 * Neither connects nor disconnects: `useRoom` and `useRooms({ live: true })` do. On a server: `idle`.
 */
export function useConnection(): UseConnectionResult {
  const client = useChatClient();
  const snapshot = useReadable(client.connection, ON_SERVER);
  const retry = useCallback(() => client.retry(), [client]);
  return useMemo(() => ({ ...snapshot, retry }), [snapshot, retry]);
}
