/**
 * A room that is entered while a component is mounted. Not exported from the package.
 *
 * The entered room lives in a ref, because it belongs to the effect that entered it and not to a
 * render. Whatever reads the ref asks for its client and its room: after a change of either, a
 * render comes before the effect, and must not meet the room that was left.
 */

import type { ChatClient, EnteredRoom, Readable } from '@allibe/client';
import { useCallback, useEffect, useRef } from 'react';
import { useChatClient } from './provider.js';

/** What the effect puts into the ref. */
interface Visit {
  readonly client: ChatClient;
  readonly room: EnteredRoom;
}

/**
 * Enters the room on mount and leaves it on unmount or when `roomId` or the client changes.
 *
 * Returns what gives the entered room, or null while it is not: the same function as long as the
 * room and the client are. Call it before `useReadable`: effects run in order, so that its
 * subscription finds the room entered.
 */
export function useEntered(roomId: string): () => EnteredRoom | null {
  const client = useChatClient();
  const visit = useRef<Visit | null>(null);

  useEffect(() => {
    const room = client.enter(roomId);
    visit.current = { client, room };
    return () => {
      visit.current = null;
      room.leave();
    };
  }, [client, roomId]);

  return useCallback(() => {
    const current = visit.current;
    return current?.client === client && current.room.roomId === roomId ? current.room : null;
  }, [client, roomId]);
}

/** What the entered room says, and `otherwise` where it is not entered. */
export function whileEntered<T>(source: () => Readable<T> | undefined, otherwise: T): Readable<T> {
  return {
    get: () => source()?.get() ?? otherwise,
    subscribe: (listener) => source()?.subscribe(listener) ?? (() => {}),
  };
}
