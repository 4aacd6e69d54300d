/** Who of the others has read how far. */

import type { Member } from '@allibe/client';
import { useActivity } from '@allibe/react';
import { useMemo } from 'react';
import { useMe } from '../people/people.js';

/** The users who have read the message at an offset, the one who is furthest first. */
export type ReadersOf = (offset: number) => readonly string[];

/** `members` as they were loaded; what has moved since is known by itself. */
export function useReaders(roomId: string, members: readonly Member[] | null): ReadersOf {
  const { readOffsets } = useActivity(roomId);
  const { user } = useMe();
  return useMemo(() => readersOf(members ?? [], readOffsets, user), [members, readOffsets, user]);
}

export function readersOf(
  members: readonly Member[],
  moved: ReadonlyMap<string, number>,
  me: string,
): ReadersOf {
  const offsets = new Map(members.map(({ user, readOffset }) => [user, readOffset]));
  for (const [user, offset] of moved) {
    offsets.set(user, Math.max(offset, offsets.get(user) ?? 0));
  }
  offsets.delete(me);
  const sorted = [...offsets].sort(([, a], [, b]) => b - a);
  const users = sorted.map(([user]) => user);
  return (offset) => {
    const behind = sorted.findIndex(([, read]) => read < offset);
    return behind === -1 ? users : users.slice(0, behind);
  };
}
