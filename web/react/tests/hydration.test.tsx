import { act, cleanup, render } from '@testing-library/react';
import { renderToString } from 'react-dom/server';
import { afterEach, expect, it, vi } from 'vitest';
import { ChatProvider } from '../src/index.js';
import { Everything } from './everything.js';
import { FakeClient } from './fake-client.js';

afterEach(cleanup);

it('takes over a page of the server without a mismatch, then shows what the client knows', () => {
  const client = new FakeClient();
  client.connection.set({ state: 'online' });
  client.rooms.set({ status: 'ready', unreadCount: 5 });
  const page = (
    <ChatProvider client={client.asClient()}>
      <Everything />
    </ChatProvider>
  );
  const container = document.body.appendChild(document.createElement('div'));
  container.innerHTML = renderToString(page);
  const complaints = vi.spyOn(console, 'error');

  const { unmount } = render(page, { container, hydrate: true });

  expect(container.textContent).toBe('online ready 0 5 r1 ready 1 1');
  expect(complaints).not.toHaveBeenCalled();
  act(() => unmount());
  expect([client.room('r1').left, client.rooms.watched]).toEqual([2, 0]);
});
