/** The list of the user's rooms. */

import type { RoomListSnapshot } from '@allibe/client';
import { useCallback, useEffect, useMemo } from 'react';
import { useChatClient } from './provider.js';
import { useReadable } from './use-readable.js';

const ON_SERVER: RoomListSnapshot = Object.freeze({
  status: 'idle',
  rooms: Object.freeze([]),
  unreadCount: 0,
  error: null,
});

export interface UseRoomsOptions {
  /**
   * Keep the connection up although no room is entered, so that the list follows events and
   * notifications come. Default false: while nothing else holds the connection, the list is
   * asked for over HTTP every 30 s while the page is visible.
   */
  live?: boolean;
}

export interface UseRoomsResult extends RoomListSnapshot {
  /** Loads the list again; settles when that is done. The same function per client. */
  readonly reload: () => Promise<void>;
}

/**
 * The user's rooms, the latest activity first, rendered again when anything in the list changes.
 *
 * Loads the list on mount and keeps it fresh until unmount. Connects only with `live`, and then
 * lets go of the connection on unmount (or when `live` becomes false). On a server, and in the
 * very first render: `idle` without rooms, to be shown as `loading` is.
 */
export function useRooms({ live = false }: UseRoomsOptions = {}): UseRoomsResult {
  const client = useChatClient();

  useEffect(() => (live ? client.rooms.watch() : client.rooms.open()), [client, live]);

  const snapshot = useReadable(client.rooms, ON_SERVER);
  const reload = useCallback(() => client.rooms.reload(), [client]);
  return useMemo(() => ({ ...snapshot, reload }), [snapshot, reload]);
}
