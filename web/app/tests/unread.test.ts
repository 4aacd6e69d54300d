import { describe, expect, it } from 'vitest';
import { reaches, unreadAfter } from '../src/room/unread.js';
import { message, room, snapshot } from './messages.js';

describe('unreadAfter', () => {
  it('is the read marker on entering, where something was unread', () => {
    const unread = room({ unreadCount: 2, lastOffset: 9, readOffset: 7 });
    expect(unreadAfter(snapshot({ room: unread }))).toBe(7);
  });

  it('is null where all was read, and until that is known', () => {
    const ownOnly = room({ lastOffset: 9, readOffset: 7 });
    expect(unreadAfter(snapshot({ room: ownOnly }))).toBeNull();
    expect(unreadAfter(snapshot({ room: null }))).toBeNull();
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
