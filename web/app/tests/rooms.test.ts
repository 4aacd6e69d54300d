import { describe, expect, it } from 'vitest';
import { mayChangeRoles, mayInvite, mayRemove } from '../src/members/permissions.js';
import { filtered } from '../src/rooms/filter.js';
import { isUserId, toggled, usersIn } from '../src/rooms/new-room.js';
import { hueOf, initialsOf } from '../src/ui/look.js';
import { room } from './messages.js';

describe('filtered', () => {
  const rooms = ['Project Team', '주말 등산', 'Team lunch'].map((name) => room({ name }));
  const names = (filter: string) => filtered(rooms, filter).map(({ name }) => name);

  it('wants all words, whatever their case and order', () => {
    expect(names('team')).toEqual(['Project Team', 'Team lunch']);
    expect(names('TEAM pro')).toEqual(['Project Team']);
    expect(names('zzz')).toEqual([]);
  });

  it('leaves all for nothing', () => {
    expect(filtered(rooms, '  ')).toBe(rooms);
  });

  it('finds Hangul that was typed in parts', () => {
    expect(names('등산'.normalize('NFD'))).toEqual(['주말 등산']);
  });
});

describe('users of a new room', () => {
  it('are separated by commas or blanks, each once', () => {
    expect(usersIn(' bob, carol  bob;dave')).toEqual(['bob', 'carol', 'dave']);
    expect(usersIn('')).toEqual([]);
  });

  it('are added and taken out by a press', () => {
    expect(toggled('bob,', 'carol')).toBe('bob, carol');
    expect(toggled('bob, carol', 'bob')).toBe('carol');
  });

  it.each(['a b', '', '.', '..', 'a#b', 'a*b', '한글', 'x'.repeat(129)])('cannot be %j', (user) => {
    expect(isUserId(user)).toBe(false);
  });

  it.each(['bob', 'bob@example.com', '...', 'x'.repeat(128)])('can be %j', (user) => {
    expect(isUserId(user)).toBe(true);
  });
});

describe('permissions', () => {
  it('are those of the server’s table', () => {
    expect(['owner', 'admin', 'member'].map((role) => mayInvite(role as never))).toEqual([
      true,
      true,
      false,
    ]);
    expect(mayRemove('owner', 'owner')).toBe(true);
    expect(mayRemove('admin', 'member')).toBe(true);
    expect(mayRemove('admin', 'admin')).toBe(false);
    expect(mayRemove('member', 'member')).toBe(false);
    expect(mayChangeRoles('admin')).toBe(false);
  });
});

describe('looks', () => {
  it.each([
    ['Project Team', 'PT'],
    ['alice', 'A'],
    ['주말 등산 모임', '주'],
    ['  spaced   out  ', 'SO'],
    ['👨‍👩‍👧 family', '👨‍👩‍👧F'],
    ['', ''],
  ])('of %j are %j', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });

  it('have a colour that depends on the id alone', () => {
    expect(hueOf('alice')).toBe(hueOf('alice'));
    expect(new Set(['alice', 'bob', 'carol', 'dave', 'erin'].map(hueOf)).size).toBeGreaterThan(2);
  });
});
