/** Keeps the members up to date while their room is on the screen. */

import type { ActivityEvent, Member } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useEffect } from 'react';
import type { Members } from './use-members.js';

/** Of so many it is known who has read what; more are not asked for again after each break. */
const FEW = 200;

/** Takes in who came and went as it is told, and loads all again after a break in the telling. */
export function useFreshMembers(roomId: string, isLive: boolean, members: Members): void {
  const client = useChatClient();
  const { change, refresh } = members;
  const areFew = (members.list?.length ?? 0) <= FEW;

  useEffect(
    () =>
      client.on('activity', (event) => {
        if (event.roomId === roomId) change((list) => changed(list, event));
      }),
    [client, roomId, change],
  );

  useEffect(() => {
    if (isLive && areFew) void refresh();
  }, [isLive, areFew, refresh]);
}

/** Not by asking for them anew: all who look at a large room would do so in the same moment. */
export function changed(list: readonly Member[], event: ActivityEvent): readonly Member[] {
  if (event.type === 'member-removed') return list.filter(({ user }) => user !== event.user);
  if (event.type !== 'member-added') return list;
  const { user, role } = event;
  if (list.some((member) => member.user === user)) {
    return list.map((member) => (member.user === user ? { ...member, role } : member));
  }
  return [...list, { user, role, joinedAt: new Date().toISOString(), readOffset: 0 }];
}
