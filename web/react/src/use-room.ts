/**
 * One room while it is on the screen: mounted is entered, unmounted is left.
 *
 * The entered room lives in a ref, because it belongs to the effect that entered it and not to a
 * render. Whatever reads the ref asks for its client and its room: after a change of either, a
 * render comes before the effect, and must not meet the room that was left.
 */

import type { ChatClient, EnteredRoom, OutboxEntry, Readable, RoomSnapshot } from '@allibe/client';
import { type RefObject, useEffect, useMemo, useRef } from 'react';
import { useChatClient } from './provider.js';
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
}

type RoomFunctions = Omit<UseRoomResult, keyof RoomSnapshot>;

/** What the effect puts into the ref. */
interface Visit {
  readonly client: ChatClient;
  readonly room: EnteredRoom;
}

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
  const client = useChatClient();
  const visit = useRef<Visit | null>(null);

  // Stands before useReadable: effects run in order, so its subscription finds the room entered.
  useEffect(() => {
    const room = client.enter(roomId);
    visit.current = { client, room };
    return () => {
      visit.current = null;
      room.leave();
    };
  }, [client, roomId]);

  const { readable, loading, functions } = useMemo(() => {
    const entered = () => roomIn(visit, client, roomId);
    const loading = loadingSnapshot(roomId);
    return { loading, readable: asReadable(entered, loading), functions: functionsOf(entered) };
  }, [client, roomId]);
  const snapshot = useReadable(readable, loading);
  return useMemo(() => ({ ...snapshot, ...functions }), [snapshot, functions]);
}

function roomIn(visit: RefObject<Visit | null>, client: ChatClient, roomId: string) {
  const current = visit.current;
  return current?.client === client && current.room.roomId === roomId ? current.room : null;
}

/** The room where it is entered; `loading` where it is not. */
function asReadable(
  entered: () => EnteredRoom | null,
  loading: RoomSnapshot,
): Readable<RoomSnapshot> {
  return {
    get: () => entered()?.get() ?? loading,
    subscribe: (listener) => entered()?.subscribe(listener) ?? (() => {}),
  };
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
