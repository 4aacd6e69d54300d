/** What passes by in a room: who is here, who types, how far others have read. */

import type { ActivitySnapshot } from '@allibe/client';
import { useMemo } from 'react';
import { useEntered, whileEntered } from './use-entered.js';
import { useReadable } from './use-readable.js';

const NOTHING: ActivitySnapshot = Object.freeze({
  users: null,
  count: null,
  typing: Object.freeze([]),
  readOffsets: new Map(),
});

/**
 * The room's activity, rendered again when it changes; `useRoom` is not.
 *
 * Enters the room as `useRoom` does, and shares it with that. Until the room is entered, without a
 * connection, and on a server, nothing is known of it.
 */
export function useActivity(roomId: string): ActivitySnapshot {
  const entered = useEntered(roomId);
  const readable = useMemo(() => whileEntered(() => entered()?.activity, NOTHING), [entered]);
  return useReadable(readable, NOTHING);
}
