/** Moves the read marker: when the newest message is in view of somebody who looks. */

import type { UseRoomResult } from '@allibe/react';
import { useEffect, useState } from 'react';
import { useAttention } from '../ui/media.js';

/** Returns what is to be told whether the newest message is in view. */
export function useReadMarker(room: UseRoomResult): (atEnd: boolean) => void {
  const [atEnd, setAtEnd] = useState(false);
  const attended = useAttention();
  const { markRead, status, readOffsetOnEntry } = room;
  const newest = room.messages.at(-1)?.offset ?? 0;
  // Before it is known how far the user had read, nothing may be said of it.
  const isKnown = status === 'ready' && readOffsetOnEntry !== null;
  const isRead = atEnd && attended && isKnown;

  useEffect(() => {
    if (isRead && newest > 0) markRead(newest);
  }, [isRead, newest, markRead]);

  return setAtEnd;
}
