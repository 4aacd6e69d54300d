/** One number, for a badge. */

import { useCallback, useSyncExternalStore } from 'react';
import { useChatClient } from './provider.js';

/**
 * How many messages are unread in all rooms together; rendered again only when the number changes.
 *
 * Does not load or follow the list by itself, it reads what `client.rooms` knows: 0 until a
 * `useRooms` somewhere on the page (or `client.rooms.open()`) has loaded it. Neither connects nor
 * disconnects. On a server: 0.
 */
export function useUnread(): number {
  const { rooms } = useChatClient();
  return useSyncExternalStore(
    useCallback((listener: () => void) => rooms.subscribe(listener), [rooms]),
    () => rooms.get().unreadCount,
    () => 0,
  );
}
