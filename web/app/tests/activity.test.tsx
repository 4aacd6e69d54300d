import type { ActivitySnapshot } from '@allibe/client';
import { act } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { wordsIn } from '../src/i18n/language.js';
import { changed } from '../src/members/use-fresh-members.js';
import { few } from '../src/room/few.js';
import { readersOf } from '../src/room/readers.js';
import { openRoom } from '../src/routing/route.js';
import { Chat } from '../src/shell/Chat.js';
import { FakeClient } from './fake-client.js';
import { room } from './messages.js';
import { ALICE, render } from './render.js';

const NAMES = new Map([
  ['bob', 'Bob'],
  ['carol', 'Carol'],
]);
const nameOf = (user: string) => NAMES.get(user) ?? user;

beforeEach(() => {
  window.history.replaceState(null, '', '/');
  vi.spyOn(document, 'hasFocus').mockReturnValue(true);
});

async function opened() {
  const client = new FakeClient();
  client.rooms.change({ rooms: [room()] });
  client.members = [{ user: 'bob', role: 'member', joinedAt: '', readOffset: 0 }];
  const { container } = await render(<Chat account={ALICE} onSignOut={() => {}} />, client);
  await act(async () => openRoom('1'));
  const change = (activity: Partial<ActivitySnapshot>) =>
    act(async () => client.entered.get('1')?.activity.change(activity));
  const text = (selector: string) => container.querySelector(selector)?.textContent ?? null;
  return { client, container, change, text };
}

describe('who is here', () => {
  it('is said of the others, by name, as long as there are any', async () => {
    const { change, text, container } = await opened();
    expect(text('.here')).toBeNull();
    await change({ users: ['alice'], count: 1 });
    expect(text('.here')).toBeNull();
    await change({ users: ['alice', 'bob'], count: 2 });
    expect(text('.here')).toBe('bob is here');
    await change({ users: ['alice', 'bob', 'carol', 'dave', 'eve', 'fay'], count: 6 });
    expect(text('.here')).toBe('bob, carol and 3 others are here');
    expect(container.querySelectorAll('.faces .avatar')).toHaveLength(3);
    expect(text('.faces__more')).toBe('+2');
    await change({ users: null, count: null });
    expect(text('.here')).toBeNull();
  });

  it('is a number in a crowd', async () => {
    const { change, text, container } = await opened();
    await change({ users: null, count: 1234 });
    expect(text('.here')).toBe('1,234 people are here');
    expect(container.querySelector('.faces')).toBeNull();
  });
});

describe('who types', () => {
  it('is said in a line that is always there', async () => {
    const { change, text } = await opened();
    expect(text('.typing')).toBe('');
    await change({ typing: [{ user: 'bob', name: 'Bobby' }] });
    expect(text('.typing')).toBe('Bobby is typing…');
    await change({
      typing: [
        { user: 'bob', name: 'Bobby' },
        { user: 'carol', name: null },
      ],
    });
    expect(text('.typing')).toBe('Bobby and carol are typing…');
    await change({ typing: [] });
    expect(text('.typing')).toBe('');
  });
});

describe('the members', () => {
  it('are counted anew when somebody came or went, in this room, and not asked for', async () => {
    const { client, text } = await opened();
    const loads = client.calls.filter((call) => call === 'load members').length;
    const count = () => text('.room-header__members');
    const came = { type: 'member-added', roomId: '1', user: 'eve', role: 'member' } as const;
    await act(async () => client.emit('activity', { ...came, roomId: '2' }));
    await act(async () => client.emit('activity', { type: 'left', roomId: '1', user: 'bob' }));
    expect(count()).toBe('1 member');
    await act(async () => client.emit('activity', came));
    await act(async () => client.emit('activity', { ...came, role: 'admin' }));
    expect(count()).toBe('2 members');
    const gone = { type: 'member-removed', roomId: '1', user: 'bob' } as const;
    await act(async () => client.emit('activity', gone));
    expect(count()).toBe('1 member');
    expect(client.calls.filter((call) => call === 'load members')).toHaveLength(loads);
  });

  it('have the role that was told last', () => {
    const list = [{ user: 'eve', role: 'member', joinedAt: '', readOffset: 4 } as const];
    const event = { type: 'member-added', roomId: '1', user: 'eve', role: 'admin' } as const;
    expect(changed(list, event)).toEqual([{ ...list[0], role: 'admin' }]);
  });
});

describe('who has read', () => {
  const member = (user: string, readOffset: number) =>
    ({ user, readOffset, role: 'member', joinedAt: '' }) as const;
  const members = [member('alice', 9), member('bob', 3), member('carol', 5)];

  it('is whoever’s marker stands there or further, without oneself', () => {
    const readers = readersOf(members, new Map(), 'alice');
    expect([2, 3, 4, 5, 6].map(readers)).toEqual([
      ['carol', 'bob'],
      ['carol', 'bob'],
      ['carol'],
      ['carol'],
      [],
    ]);
  });

  it('counts what has moved since, and not what was told late', () => {
    const moved = new Map([
      ['bob', 6],
      ['carol', 4],
      ['dave', 1],
    ]);
    const readers = readersOf(members, moved, 'alice');
    expect(readers(5)).toEqual(['bob', 'carol']);
    expect(readers(6)).toEqual(['bob']);
    expect(readers(1)).toEqual(['bob', 'carol', 'dave']);
  });
});

describe('a few people', () => {
  it.each([
    [['bob'], 'Bob is here', '밥님이 보고 있어요'],
    [['bob', 'carol'], 'Bob and Carol are here', '밥님, 캐럴님이 보고 있어요'],
    [['bob', 'carol', 'x'], 'Bob, Carol and x are here', '밥님, 캐럴님, x님이 보고 있어요'],
    [
      ['bob', 'carol', 'x', 'y'],
      'Bob, Carol and 2 others are here',
      '밥님, 캐럴님 외 2명이 보고 있어요',
    ],
  ])('%j are named in both languages', (users, english, korean) => {
    const korean_ = new Map([
      ['bob', '밥'],
      ['carol', '캐럴'],
    ]);
    expect(wordsIn('en').t.room.here(few(users, nameOf))).toBe(english);
    expect(wordsIn('ko').t.room.here(few(users, (user) => korean_.get(user) ?? user))).toBe(korean);
  });

  it('stay islands in the sentence', () => {
    expect(few(['מרים'], (user) => user).names).toEqual(['\u2068מרים\u2069']);
  });
});
