import { act, cleanup, renderHook } from '@testing-library/react';
import { type ReactNode, StrictMode } from 'react';
import { afterEach, expect, it } from 'vitest';
import { ChatProvider, type UseRoomsOptions, useRooms } from '../src/index.js';
import { FakeClient } from './fake-client.js';

afterEach(cleanup);

function setUp(initialProps: UseRoomsOptions = {}) {
  const client = new FakeClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <StrictMode>
      <ChatProvider client={client.asClient()}>{children}</ChatProvider>
    </StrictMode>
  );
  const held = () => ({ opened: client.rooms.opened, watched: client.rooms.watched });
  return { client, held, ...renderHook(useRooms, { wrapper, initialProps }) };
}

it('opens the list on mount and lets go of it on unmount', () => {
  const { held, unmount } = setUp();
  expect(held()).toEqual({ opened: 1, watched: 0 });
  unmount();
  expect(held()).toEqual({ opened: 0, watched: 0 });
});

it('watches while live, and only then', () => {
  const { held, rerender, unmount } = setUp({ live: true });
  expect(held()).toEqual({ opened: 0, watched: 1 });
  rerender({ live: false });
  expect(held()).toEqual({ opened: 1, watched: 0 });
  rerender({ live: true });
  unmount();
  expect(held()).toEqual({ opened: 0, watched: 0 });
});

it('follows the list', () => {
  const { client, result } = setUp();
  expect(result.current).toMatchObject({ status: 'idle', rooms: [] });
  act(() => client.rooms.set({ status: 'ready', unreadCount: 3 }));
  expect(result.current).toMatchObject({ status: 'ready', unreadCount: 3 });
});

it('reloads by the same function throughout', async () => {
  const { client, result } = setUp();
  const { reload } = result.current;
  act(() => client.rooms.set({ status: 'error' }));
  expect(result.current.reload).toBe(reload);
  await reload();
  expect(client.rooms.reloads).toBe(1);
});

it('stops listening on unmount', () => {
  const { client, unmount } = setUp();
  expect(client.rooms.listeners.size).toBe(1);
  unmount();
  expect(client.rooms.listeners.size).toBe(0);
});
