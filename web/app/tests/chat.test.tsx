import { ChatError } from '@allibe/client';
import { act } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openRoom } from '../src/routing/route.js';
import { Chat } from '../src/shell/Chat.js';
import { FakeClient } from './fake-client.js';
import { message, room } from './messages.js';
import { ALICE, findNamed, key, named, press, render, type } from './render.js';

beforeEach(() => {
  window.history.replaceState(null, '', '/');
  vi.spyOn(document, 'hasFocus').mockReturnValue(true);
});

async function chat(client = new FakeClient()) {
  const onSignOut = vi.fn();
  return { onSignOut, ...(await render(<Chat account={ALICE} onSignOut={onSignOut} />, client)) };
}

function withRooms(...names: string[]): FakeClient {
  const client = new FakeClient();
  const rooms = names.map((name, index) => room({ roomId: `${index + 1}`, name }));
  client.rooms.change({ rooms });
  return client;
}

describe('the list of rooms', () => {
  it('shows that it loads', async () => {
    const client = new FakeClient();
    client.rooms.change({ status: 'loading' });
    const { container } = await chat(client);
    expect(container.querySelector('.list-skeleton')?.textContent).toContain('Loading');
  });

  it('invites to create a room where there is none', async () => {
    const { container } = await chat();
    expect(container.textContent).toContain('No rooms yet');
  });

  it('tries again after an error, and signs in again when that is the cause', async () => {
    const client = new FakeClient();
    client.rooms.change({ status: 'error', error: new ChatError('network', '', true) });
    const { onSignOut } = await chat(client);
    await press(named('Try again'));
    expect(client.calls).toContain('reload rooms');
    const error = new ChatError('token_expired', '', false, null, 401);
    await act(async () => client.rooms.change({ error }));
    await press(named('Sign in again'));
    expect(onSignOut).toHaveBeenCalled();
  });

  it('keeps showing what is known when it cannot be loaded again', async () => {
    const client = withRooms('Team');
    client.rooms.change({ status: 'error', error: new ChatError('network', '', true) });
    const { container } = await chat(client);
    expect(container.querySelectorAll('.room-entry')).toHaveLength(1);
  });

  it('has a search field from nine rooms on', async () => {
    const { client } = await chat(withRooms('a', 'b', 'c'));
    expect(findNamed('Search rooms')).toBeNull();
    const many = Array.from({ length: 9 }, (_, n) => room({ roomId: `r${n}`, name: `Room ${n}` }));
    await act(async () => client.rooms.change({ rooms: many }));
    expect(findNamed('Search rooms')).not.toBeNull();
  });

  it('says who wrote last, and puts the unread into the title', async () => {
    const client = new FakeClient();
    const rooms = [
      room({ roomId: '1', lastMessage: 'Hi\nthere', lastMessageSender: 'alice' }),
      room({ roomId: '2', lastMessage: 'Lunch?', lastMessageSender: 'bob', unreadCount: 3 }),
    ];
    client.rooms.change({ rooms, unreadCount: 3 });
    const { container } = await chat(client);
    const texts = [...container.querySelectorAll('.room-entry__text')].map((e) => e.textContent);
    expect(texts).toEqual(['You: Hi there', 'bob: Lunch?']);
    expect(document.title).toBe('(3) Allibe');
  });

  it('stands in order, and shows the rooms whose time cannot be read, without one', async () => {
    const client = new FakeClient();
    const rooms = [
      room({ roomId: 'c', name: 'Never', createdAt: 'never' }),
      room({ roomId: 'b', name: 'Once', lastMessageAt: '0000-99' }),
      room({ roomId: 'a', name: 'Now' }),
    ];
    client.rooms.change({ rooms });
    const { container } = await chat(client);
    const entries = [...container.querySelectorAll('.room-entry')];
    const names = entries.map((entry) => entry.querySelector('.room-entry__name')?.textContent);
    expect(names).toEqual(['Never', 'Once', 'Now']);
    expect(entries.map((entry) => entry.querySelectorAll('time').length)).toEqual([0, 0, 1]);
  });

  it('takes in a room that was created, and opens it, without loading all again', async () => {
    const { client } = await chat();
    await press(named('New room'));
    await type(named('Name'), 'Hike');
    await press(named('Create room'));
    expect(client.calls).toContain('add room new');
    expect(client.calls).toContain('enter new');
    expect(client.calls).not.toContain('reload rooms');
  });
});

describe('a room', () => {
  it('is entered when it is opened and left when it is closed, with the focus on its entry', async () => {
    const client = withRooms('Team', 'Friends');
    const { container } = await chat(client);
    const entry = container.querySelector<HTMLElement>('#room-entry-2');
    await press(entry as HTMLElement);
    expect(client.calls).toContain('enter 2');
    expect(container.querySelector('.room-header__name')?.textContent).toBe('Friends');
    expect(entry?.getAttribute('aria-current')).toBe('page');

    // As the browser's back does; happy-dom has no way back.
    await act(async () => {
      window.history.replaceState(null, '', '/');
      window.dispatchEvent(new PopStateEvent('popstate'));
    });
    expect(client.entered.get('2')?.calls).toContain('leave');
    expect(container.querySelector('.room-header')).toBeNull();
    expect(document.activeElement).toBe(entry);
  });

  it('is left on Escape, unless a dialog is open', async () => {
    const client = withRooms('Team', 'Friends');
    const { container } = await chat(client);
    await act(async () => openRoom('1'));
    await act(async () => openRoom('2'));
    const dialog = container.appendChild(document.createElement('dialog'));
    dialog.setAttribute('open', '');
    await key(document.body, { key: 'Escape' });
    expect(window.location.hash).toBe('#/rooms/2');
    dialog.remove();
    await key(document.body, { key: 'Escape' });
    expect(window.location.hash).toBe('#/');
  });

  it('that is not there any more says so, and cannot be written to', async () => {
    const client = withRooms('Team');
    const { container } = await chat(client);
    await act(async () => openRoom('1'));
    await act(async () => client.entered.get('1')?.change({ status: 'ended' }));
    expect(container.textContent).toContain('This room is not open to you');
    expect(container.querySelector('textarea')).toBeNull();
  });

  it('announces what others write now, not what history brings', async () => {
    const client = withRooms('Team');
    const { container } = await chat(client);
    await act(async () => openRoom('1'));
    const said = () => container.querySelector('[data-testid=announcer]')?.textContent;
    await act(async () => client.entered.get('1')?.change({ messages: [message(1)] }));
    expect(said()).toBe('');
    expect(container.querySelector('[role=log]')?.getAttribute('aria-live')).toBe('off');
    await act(async () => client.emit('message', message(2, { content: 'Hello' })));
    expect(said()).toBe('bob: Hello');
  });
});
