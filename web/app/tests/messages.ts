/** Messages and rooms for tests, short to write. */

import type { Message, OutboxEntry, Room, RoomSnapshot } from '@allibe/client';

/** Ten in the morning of a day in the time zone of whoever runs the tests. */
export const TEN = new Date(2026, 10, 24, 10, 0).getTime();
export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

export function message(offset: number, given: Partial<Message> & { at?: number } = {}): Message {
  const { at = TEN, ...rest } = given;
  return {
    type: 'message',
    roomId: '1',
    epoch: 'e1',
    offset,
    messageId: `m-${offset}`,
    sender: 'bob',
    content: `message ${offset}`,
    sentAt: new Date(at).toISOString(),
    ...rest,
  };
}

export function waiting(clientMessageId: string, given: Partial<OutboxEntry> = {}): OutboxEntry {
  return {
    clientMessageId,
    roomId: '1',
    content: `waiting ${clientMessageId}`,
    createdAt: TEN,
    state: 'pending',
    error: null,
    ...given,
  };
}

export function room(given: Partial<Room> = {}): Room {
  return {
    roomId: '1',
    name: 'Project Team',
    lastMessage: null,
    lastMessageAt: null,
    lastMessageSender: null,
    unreadCount: 0,
    readOffset: 0,
    lastOffset: 0,
    epoch: 'e1',
    role: 'member',
    createdAt: new Date(TEN).toISOString(),
    ...given,
  };
}

export function snapshot(given: Partial<RoomSnapshot> = {}): RoomSnapshot {
  return {
    roomId: '1',
    status: 'ready',
    error: null,
    live: true,
    room: room(),
    readOffsetOnEntry: 0,
    messages: [],
    outbox: [],
    hasOlder: false,
    loadingOlder: false,
    olderError: null,
    ...given,
  };
}
