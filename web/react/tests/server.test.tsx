// @vitest-environment node
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, it } from 'vitest';
import { ChatProvider } from '../src/index.js';
import { Everything } from './everything.js';
import { FakeClient } from './fake-client.js';

it('renders constants on a server, whatever the client knows, and opens nothing', () => {
  expect(typeof window).toBe('undefined');
  const client = new FakeClient();
  client.connection.set({ state: 'online' });
  client.rooms.set({ status: 'ready', unreadCount: 5 });
  const html = renderToString(
    <StrictMode>
      <ChatProvider client={client.asClient()}>
        <Everything />
      </ChatProvider>
    </StrictMode>,
  );
  expect(html).toBe('<p>idle idle 0 0 r1 loading 0 unknown</p>');
  const room = client.room('r1');
  expect([room.entered, client.rooms.opened, client.rooms.watched, client.retries]).toEqual([
    0, 0, 0, 0,
  ]);
  expect(room.listeners.size + client.rooms.listeners.size).toBe(0);
});
