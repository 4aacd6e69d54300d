/** One room while it is on the screen: mounted is entered, unmounted is left. */

import type { EnteredRoom, OutboxEntry, RoomSnapshot } from '@allibe/client';
import { useMemo } from 'react';
import { useEntered, whileEntered } from './use-entered.js';
import { useReadable } from './use-readable.js';

/** The functions are the same ones as long as the room and the client are. */
export interface UseRoomResult extends RoomSnapshot {
  /**
   * Puts a message into the outbox; it goes out by itself, now or when there is a connection.
   *
   * @throws ChatError `outbox_full`, `invalid_content` or `content_too_long`.
   * @throws Error when this room is not entered: before the effects of the mount, after unmount.
   */
  readonly send: (content: string) => OutboxEntry;
  /** Sends a failed entry of the outbox again. @throws Error when this room is not entered. */
  readonly resend: (clientMessageId: string) => void;
  /** Drops a failed entry of the outbox. @throws Error when this room is not entered. */
  readonly discard: (clientMessageId: string) => void;
  /** Loads the page before the oldest message. Never rejects: see `olderError`. */
  readonly loadOlder: () => Promise<void>;
  /** Loads anew after `error`. Does nothing when this room is not entered. */
  readonly reload: () => void;
  /**
   * Moves the read marker up to `offset`, by default to the newest message. Calls are coalesced.
   * Does nothing when this room is not entered.
   */
  readonly markRead: (offset?: number) => void;
  /**
   * Lets the others see that the user types: call it with every key, it is told now and then.
   * Does nothing when this room is not entered.
   */
  readonly typing: () => void;
}

type RoomFunctions = Omit<UseRoomResult, keyof RoomSnapshot>;

/**
 * The room's messages, outbox and state, rendered again when they change.
 *
 * Enters the room on mount, which opens the connection, and leaves it on unmount or when `roomId`
 * or the client changes; the connection is closed when nothing else needs it. Leaving and entering
 * again in one go, as StrictMode does, keeps the connection. Components that use the same room
 * share it.
 *
 * Until the room is entered (in the first render, and on a server) it is `loading` and empty;
 * after a change of `roomId` it is that at once, so a room is never shown under another's name.
 */
export function useRoom(roomId: string): UseRoomResult {
  const entered = useEntered(roomId);
  const { readable, loading, functions } = useMemo(() => {
    const loading = loadingSnapshot(roomId);
    const readable = whileEntered<RoomSnapshot>(() => entered() ?? undefined, loading);
    return { loading, readable, functions: functionsOf(entered) };
  }, [entered, roomId]);
  const snapshot = useReadable(readable, loading);
  return useMemo(() => ({ ...snapshot, ...functions }), [snapshot, functions]);
}

function functionsOf(entered: () => EnteredRoom | null): RoomFunctions {
  // A message of the user's must not vanish silently; what only follows the screen may.
  const needed = () => {
    const room = entered();
    if (room === null) {
      throw new Error('useRoom: the room is not entered (not mounted yet, or left again).');
    }
    return room;
  };
  return {
    send: (content) => needed().send(content),
    resend: (clientMessageId) => needed().resend(clientMessageId),
    discard: (clientMessageId) => needed().discard(clientMessageId),
    loadOlder: async () => entered()?.loadOlder(),
    reload: () => entered()?.reload(),
    markRead: (offset) => entered()?.markRead(offset),
    typing: () => entered()?.typing(),
  };
}

function loadingSnapshot(roomId: string): RoomSnapshot {
  return {
    roomId,
    status: 'loading',
    error: null,
    live: false,
    room: null,
    readOffsetOnEntry: null,
    messages: [],
    outbox: [],
    hasOlder: false,
    loadingOlder: false,
    olderError: null,
  };
}
