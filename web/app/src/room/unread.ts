/** What was unread on entering, and loading far enough back to show where it begins. */

import type { RoomSnapshot } from '@allibe/client';
import { useEffect, useRef } from 'react';

/** Beyond that many pages of unread messages the room opens at its end. */
const MOST_PAGES = 10;

/**
 * Offset of the last message that was read on entering; null if all were. A room that is `ready`
 * knows; one that is not shows no messages.
 */
export function unreadAfter({ room }: Pick<RoomSnapshot, 'room'>): number | null {
  if (room === null) return null;
  return room.unreadCount > 0 && room.lastOffset > room.readOffset ? room.readOffset : null;
}

/** Whether the messages that are there reach back to the first unread one. */
export function reaches({ messages, hasOlder }: RoomSnapshot, after: number): boolean {
  const first = messages[0]?.offset;
  return first === undefined || first <= after + 1 || !hasOlder;
}

/**
 * Whether the messages reach back to the first unread one, so that the room can open there. Loads
 * older ones until they do; gives up after a failure or too many pages. Once true it stays true.
 */
export function useReachesUnread(
  room: RoomSnapshot & { loadOlder(): Promise<void> },
  after: number | null,
): boolean {
  const { status, messages, loadingOlder, olderError, loadOlder } = room;
  const pages = useRef(0);
  const opened = useRef(false);
  const first = messages[0]?.offset;
  const missing = after !== null && !reaches(room, after) && olderError === null;
  const loads = status === 'ready' && missing && !opened.current && pages.current < MOST_PAGES;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `first` changes with each page
  useEffect(() => {
    if (!loads) {
      if (status === 'ready') opened.current = true;
      return;
    }
    if (loadingOlder) return;
    pages.current += 1;
    void loadOlder();
  }, [loads, loadingOlder, loadOlder, status, first]);

  return !loads;
}
