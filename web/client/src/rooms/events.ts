/** What comes on `/user/queue/rooms` (docs/protocol.md, "User queues"), and how it changes a list. */

import type { Role, Room } from '../types.js';

export type RoomsEvent =
  | {
      readonly type: 'room';
      readonly roomId: string;
      readonly unreadCount: number;
      readonly lastMessage?: string;
      readonly lastMessageAt?: string;
      readonly lastMessageSender?: string;
    }
  | { readonly type: 'joined'; readonly roomId: string; readonly role: Role }
  | { readonly type: 'removed'; readonly roomId: string }
  | { readonly type: 'muted'; readonly roomId: string; readonly muted: boolean };

const TYPES: readonly unknown[] = ['room', 'joined', 'removed', 'muted'];

/** Returns the event, or null for what is none that is known here. */
export function roomsEvent(body: unknown): RoomsEvent | null {
  const { type, roomId } = (body ?? {}) as { type?: unknown; roomId?: unknown };
  if (typeof roomId !== 'string') return null;
  return TYPES.includes(type) ? (body as RoomsEvent) : null;
}

/** Returns the room as the event says it looks now; what the event leaves out stays. */
export function patched(room: Room, event: RoomsEvent & { type: 'room' }): Room {
  return {
    ...room,
    unreadCount: event.unreadCount,
    lastMessage: event.lastMessage ?? room.lastMessage,
    lastMessageAt: event.lastMessageAt ?? room.lastMessageAt,
    lastMessageSender: event.lastMessageSender ?? room.lastMessageSender,
  };
}

/** Returns the rooms with the latest activity first. */
export function sorted(rooms: readonly Room[]): readonly Room[] {
  // A time that cannot be read is the oldest: compared as it is, it would shuffle the others.
  const when = (room: Room) => Date.parse(room.lastMessageAt ?? room.createdAt) || 0;
  return [...rooms].sort((a, b) => when(b) - when(a));
}
