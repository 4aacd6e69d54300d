import { describe, expect, it } from 'vitest';
import { titleFor, unreadInTitle } from '../src/notifications/title.js';
import { room } from './messages.js';

describe('the title', () => {
  it('has the number of unread messages, if there are any', () => {
    expect(titleFor(0)).toBe('Allibe');
    expect(titleFor(3)).toBe('(3) Allibe');
    expect(titleFor(12345)).toBe('(999+) Allibe');
  });

  it('counts what came into the open room while hidden, and nothing twice', () => {
    const list = {
      unreadCount: 5,
      rooms: [room({ roomId: '1', unreadCount: 2 }), room({ roomId: '2', unreadCount: 3 })],
    };
    expect(unreadInTitle(list, null, 0)).toBe(5);
    // The server counts them as unread already, or not yet.
    expect(unreadInTitle(list, '1', 2)).toBe(5);
    expect(unreadInTitle(list, '1', 4)).toBe(7);
    expect(unreadInTitle({ ...list, unreadCount: 3, rooms: [] }, '1', 1)).toBe(4);
  });
});
