/** After a room is closed the focus is on its entry in the list, as if one had never gone. */

import { useEffect, useRef } from 'react';
import { entryId } from '../rooms/RoomEntry.js';

export function useFocusOnLeaving(openRoomId: string | null): void {
  const before = useRef(openRoomId);
  useEffect(() => {
    const left = before.current;
    before.current = openRoomId;
    if (left === null || openRoomId !== null) return;
    const entry = document.getElementById(entryId(left));
    (entry ?? document.getElementById('rooms-title'))?.focus();
  }, [openRoomId]);
}
