import { act, cleanup, renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, expect, it } from 'vitest';
import { ChatProvider, useUnread } from '../src/index.js';
import { FakeClient } from './fake-client.js';

afterEach(cleanup);

function setUp() {
  const client = new FakeClient();
  const renders: number[] = [];
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ChatProvider client={client.asClient()}>{children}</ChatProvider>
  );
  const hook = renderHook(() => renders.push(useUnread()), { wrapper });
  return { client, renders, ...hook };
}

it('renders again only when the number changes', () => {
  const { client, renders } = setUp();
  act(() => client.rooms.set({ unreadCount: 2 }));
  act(() => client.rooms.set({ status: 'loading' }));
  act(() => client.rooms.set({ status: 'ready', unreadCount: 2 }));
  expect(renders).toEqual([0, 2]);
});

it('does not load the list by itself', () => {
  const { client } = setUp();
  expect([client.rooms.opened, client.rooms.watched, client.rooms.reloads]).toEqual([0, 0, 0]);
});

it('stops listening on unmount', () => {
  const { client, unmount } = setUp();
  expect(client.rooms.listeners.size).toBe(1);
  unmount();
  expect(client.rooms.listeners.size).toBe(0);
});
