/** The document's title: how many messages wait. */

import type { RoomListSnapshot } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useEffect, useState } from 'react';
import { useHidden } from '../ui/media.js';

const NAME = 'Allibe';

export function titleFor(unread: number): string {
  return unread > 0 ? `(${unread > 999 ? '999+' : unread}) ${NAME}` : NAME;
}

/**
 * Unread messages in all rooms. In the one on the screen those count that came while the page was
 * hidden; the server may know of them as unread already, so they are not added to its number.
 */
export function unreadInTitle(
  list: Pick<RoomListSnapshot, 'rooms' | 'unreadCount'>,
  openRoomId: string | null,
  cameWhileHidden: number,
): number {
  const open = list.rooms.find(({ roomId }) => roomId === openRoomId)?.unreadCount ?? 0;
  return list.unreadCount - open + Math.max(open, cameWhileHidden);
}

export function useTitle(list: RoomListSnapshot, openRoomId: string | null, user: string): void {
  const unread = unreadInTitle(list, openRoomId, useCameWhileHidden(user));
  useEffect(() => {
    document.title = titleFor(unread);
    return () => {
      document.title = NAME;
    };
  }, [unread]);
}

function useCameWhileHidden(user: string): number {
  const client = useChatClient();
  const isHidden = useHidden();
  const [count, setCount] = useState(0);
  useEffect(() => {
    if (!isHidden) return;
    const stop = client.on('message', ({ type, sender }) => {
      if (type === 'message' && sender !== user) setCount((before) => before + 1);
    });
    return () => {
      stop();
      setCount(0);
    };
  }, [client, isHidden, user]);
  return count;
}
