import { beforeEach, describe, expect, it } from 'vitest';
import { addressOf, closeRoom, forgetRoom, openRoom, roomIn } from '../src/routing/route.js';

beforeEach(() => window.history.replaceState(null, '', '/'));

describe('roomIn', () => {
  it('reads the room from the fragment', () => {
    expect(roomIn('#/rooms/a-B_1')).toBe('a-B_1');
    expect(roomIn(addressOf('1'))).toBe('1');
  });

  it.each(['', '#', '#/', '#/rooms/', '#/rooms/a b', '#/rooms/1/2', `#/rooms/${'x'.repeat(65)}`])(
    'finds none in %j',
    (fragment) => expect(roomIn(fragment)).toBeNull(),
  );
});

describe('routes', () => {
  it('open and close rooms in the address', () => {
    openRoom('1');
    expect(window.location.hash).toBe('#/rooms/1');
    openRoom('2');
    // Opened from a room: the way back would not lead to the list.
    closeRoom();
    expect(window.location.hash).toBe('#/');
  });

  it('forget a room without a way back to it', () => {
    openRoom('1');
    const length = window.history.length;
    forgetRoom();
    expect(window.location.hash).toBe('');
    expect(window.history.length).toBe(length);
  });
});
