import { describe, expect, it } from 'vitest';
import { patched, roomsEvent, sorted } from '../../src/rooms/events.js';
import type { Room } from '../../src/types.js';
import { ROOM } from '../support/entered.js';

describe('what comes on the queue', () => {
  it.each(['room', 'joined', 'removed', 'muted'])('is an event where its type is %s', (type) => {
    const body = { type, roomId: '1' };
    expect(roomsEvent(body)).toBe(body);
  });

  it.each([
    null,
    undefined,
    'text',
    {},
    { type: 'room' },
    { roomId: '1' },
    { type: 'room', roomId: 1 },
  ])('is none where it is %j', (body) => {
    expect(roomsEvent(body)).toBeNull();
  });

  it('is none where its type is of tomorrow', () => {
    expect(roomsEvent({ type: 'renamed', roomId: '1' })).toBeNull();
  });
});

describe('a room', () => {
  it('changes by what the event says, and not by what it leaves out', () => {
    const before = { ...ROOM, lastMessage: 'old', lastMessageSender: 'bob', unreadCount: 3 };
    const read = patched(before, { type: 'room', roomId: '1', unreadCount: 0 });
    expect(read).toEqual({ ...before, unreadCount: 0 });
    const event = {
      type: 'room',
      roomId: '1',
      unreadCount: 1,
      lastMessage: 'new',
      lastMessageAt: '2026-01-05T10:00:00.000Z',
      lastMessageSender: 'carol',
    } as const;
    expect(patched(before, event)).toMatchObject({
      lastMessage: 'new',
      lastMessageAt: event.lastMessageAt,
      lastMessageSender: 'carol',
      unreadCount: 1,
      name: before.name,
    });
    expect(before.lastMessage).toBe('old');
  });
});

describe('the order of rooms', () => {
  it('is the latest activity first; a room without messages is as old as it is', () => {
    const room = (roomId: string, createdAt: string, lastMessageAt: string | null): Room => ({
      ...ROOM,
      roomId,
      createdAt,
      lastMessageAt,
    });
    const rooms = [
      room('old', '2026-01-01T00:00:00Z', null),
      room('busy', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00.5Z'),
      room('new', '2026-01-03T00:00:00Z', null),
      room('east', '2026-01-01T00:00:00Z', '2026-01-04T08:00:00+09:00'),
    ];
    expect(sorted(rooms).map((one) => one.roomId)).toEqual(['busy', 'east', 'new', 'old']);
    expect(rooms[0]?.roomId).toBe('old');
    // What has no time that can be read comes last, and leaves the others their order.
    const odd = [room('never', 'never', null), ...rooms].toSpliced(3, 0, room('no', '', 'soon'));
    expect(sorted(odd).map((one) => one.roomId)).toEqual([
      ...['busy', 'east', 'new', 'old'],
      ...['never', 'no'],
    ]);
  });
});
