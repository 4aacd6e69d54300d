import { describe, expect, it } from 'vitest';
import { reaches, unreadAfter } from '../src/room/unread.js';
import { message, room, snapshot } from './messages.js';

describe('unreadAfter', () => {
  it('is the read marker on entering, where something was unread', () => {
    const given = { room: room({ unreadCount: 2, lastOffset: 9 }), readOffsetOnEntry: 7 };
    expect(unreadAfter(snapshot(given))).toBe(7);
  });

  it('is null where all was read, and until that is known', () => {
    expect(
      unreadAfter(snapshot({ room: room({ lastOffset: 9 }), readOffsetOnEntry: 7 })),
    ).toBeNull();
    expect(unreadAfter(snapshot({ room: null }))).toBeNull();
    expect(unreadAfter(snapshot({ readOffsetOnEntry: null }))).toBeNull();
  });
});

describe('reaches', () => {
  it('asks for the first unread message, or the beginning of the log', () => {
    const messages = [message(8), message(9)];
    expect(reaches(snapshot({ messages, hasOlder: true }), 7)).toBe(true);
    expect(reaches(snapshot({ messages, hasOlder: true }), 6)).toBe(false);
    expect(reaches(snapshot({ messages, hasOlder: false }), 0)).toBe(true);
  });
});
