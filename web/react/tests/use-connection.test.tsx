import { act, cleanup, renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, expect, it } from 'vitest';
import { ChatProvider, useConnection } from '../src/index.js';
import { FakeClient } from './fake-client.js';

afterEach(cleanup);

function setUp() {
  const client = new FakeClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ChatProvider client={client.asClient()}>{children}</ChatProvider>
  );
  return { client, ...renderHook(() => useConnection(), { wrapper }) };
}

it('follows the state of the connection', () => {
  const { client, result } = setUp();
  expect(result.current.state).toBe('idle');
  act(() => client.connection.set({ state: 'reconnecting', attempt: 2 }));
  expect(result.current).toMatchObject({ state: 'reconnecting', attempt: 2 });
});

it('retries by the same function throughout', () => {
  const { client, result } = setUp();
  const { retry } = result.current;
  act(() => client.connection.set({ state: 'refused' }));
  expect(result.current.retry).toBe(retry);
  retry();
  expect(client.retries).toBe(1);
});

it('stops listening on unmount, and connects nothing by itself', () => {
  const { client, unmount } = setUp();
  expect(client.connection.listeners.size).toBe(1);
  unmount();
  expect(client.connection.listeners.size).toBe(0);
  expect([client.rooms.opened, client.rooms.watched, client.retries]).toEqual([0, 0, 0]);
});
