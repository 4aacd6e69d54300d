/** The room's members, as far as they are known, and what changes them. */

import type { ChatError, Member, Role } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

/** What was asked for within this time is not asked for again by opening the panel. */
const FRESH_MS = 10_000;

export interface Members {
  /** Null until they are loaded. */
  readonly list: readonly Member[] | null;
  readonly error: ChatError | null;
  /** Never rejects: see `error`. */
  reload(): Promise<void>;
  /** Reloads what is older than some seconds. */
  refresh(): Promise<void>;
  /** Puts another list in the place of the one that is there. */
  change(to: (list: readonly Member[]) => readonly Member[]): void;
  /** These reject with `ChatError`. */
  invite(user: string): Promise<void>;
  changeRole(user: string, role: Role): Promise<void>;
  remove(user: string): Promise<void>;
}

/**
 * Loads them once the epoch of the room's log is known: before that the room may turn out not to be
 * there. And again with each other epoch: of who was erased nobody is told that they are gone.
 */
export function useMembers(roomId: string, epoch: string | null): Members {
  const { http } = useChatClient();
  const [list, setList] = useState<readonly Member[] | null>(null);
  const [error, setError] = useState<ChatError | null>(null);

  const asked = useRef({ at: Number.NEGATIVE_INFINITY, count: 0 });

  const reload = useCallback(async () => {
    asked.current = { at: performance.now(), count: asked.current.count + 1 };
    const { count } = asked.current;
    // An answer that is overtaken by a later one does not know of the change in between.
    const isLast = () => asked.current.count === count;
    try {
      const members = await http.members(roomId);
      if (!isLast()) return;
      setList(members);
      setError(null);
    } catch (failure) {
      if (!isLast()) return;
      setError(failure as ChatError);
      asked.current.at = Number.NEGATIVE_INFINITY;
    }
  }, [http, roomId]);

  const refresh = useCallback(async () => {
    if (performance.now() - asked.current.at > FRESH_MS) await reload();
  }, [reload]);

  const change = useCallback<Members['change']>((to) => setList((list) => list && to(list)), []);

  useEffect(() => {
    if (epoch !== null) void reload();
  }, [epoch, reload]);

  return useMemo(
    () => ({
      list,
      error,
      reload,
      refresh,
      change,
      async invite(user) {
        await http.addMember(roomId, user);
        await reload();
      },
      async changeRole(user, role) {
        await http.changeRole(roomId, user, role);
        await reload();
      },
      async remove(user) {
        await http.removeMember(roomId, user);
        await reload();
      },
    }),
    [http, roomId, list, error, reload, refresh, change],
  );
}
