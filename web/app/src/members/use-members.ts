/** The room's members, as far as they are known, and what changes them. */

import type { ChatError, Member, Role } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useCallback, useEffect, useMemo, useState } from 'react';

export interface Members {
  /** Null until they are loaded. */
  readonly list: readonly Member[] | null;
  readonly error: ChatError | null;
  /** Never rejects: see `error`. */
  reload(): Promise<void>;
  /** These reject with `ChatError`. */
  invite(user: string): Promise<void>;
  changeRole(user: string, role: Role): Promise<void>;
  remove(user: string): Promise<void>;
}

/** Loads them once `isReady`: before that the room may turn out not to be there. */
export function useMembers(roomId: string, isReady: boolean): Members {
  const { http } = useChatClient();
  const [list, setList] = useState<readonly Member[] | null>(null);
  const [error, setError] = useState<ChatError | null>(null);

  const reload = useCallback(async () => {
    try {
      setList(await http.members(roomId));
      setError(null);
    } catch (failure) {
      setError(failure as ChatError);
    }
  }, [http, roomId]);

  useEffect(() => {
    if (isReady) void reload();
  }, [isReady, reload]);

  return useMemo(
    () => ({
      list,
      error,
      reload,
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
    [http, roomId, list, error, reload],
  );
}
