import { ChatClient } from '@allibe/client';
import { act, cleanup, render, waitFor } from '@testing-library/react';
import { type ReactNode, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChatProvider, useConnection, useRoom, useRooms } from '../src/index.js';
import { message } from './fake-client.js';
import { FakeServer } from './fake-server.js';

let server: FakeServer;
let tokens: number;
let client: ChatClient;

beforeEach(() => {
  server = new FakeServer();
  tokens = 0;
  client = new ChatClient({
    url: 'http://chat.test',
    getToken: () => `token-${++tokens}`,
    storage: null,
    heartBeatMs: 0,
    webSocket: server.webSocket,
    fetch: server.fetch,
  });
});
afterEach(() => {
  cleanup();
  client.close();
});

function Room({ roomId }: { roomId: string }) {
  const { live, messages } = useRoom(roomId);
  const { state } = useConnection();
  return <p>{[state, live ? 'live' : 'silent', ...messages.map((m) => m.content)].join(' ')}</p>;
}

function Rooms() {
  return <p>{useRooms({ live: true }).status}</p>;
}

function page(content: ReactNode) {
  return (
    <StrictMode>
      <ChatProvider client={client}>{content}</ChatProvider>
    </StrictMode>
  );
}

/** Longer than whatever the client puts off: microtasks, and a socket's closing. */
async function settled() {
  await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
}

describe('with the real client, under StrictMode', () => {
  it('opens exactly one socket, subscribes once, and shows what arrives', async () => {
    const { container } = render(page(<Room roomId="1" />));
    await waitFor(() => expect(container.textContent).toContain('online live'));
    await settled();
    const [socket] = server.sockets;
    expect(server.sockets).toHaveLength(1);
    expect(socket?.frames.filter((frame) => frame === 'SUBSCRIBE /topic/rooms/1')).toHaveLength(1);
    expect(tokens).toBe(1);
    await act(async () => socket?.push('1', message('1', 'hello')));
    expect(container.textContent).toContain('hello');
  });

  it('keeps the socket when the room changes, and shows the new one only', async () => {
    const { container, rerender } = render(page(<Room roomId="1" />));
    await waitFor(() => expect(container.textContent).toContain('online live'));
    await act(async () => server.sockets[0]?.push('1', message('1', 'hello')));
    rerender(page(<Room roomId="2" />));
    expect(container.textContent).not.toContain('hello');
    await waitFor(() => expect(container.textContent).toContain('online live'));
    expect(server.sockets).toHaveLength(1);
    expect(server.sockets[0]?.frames).toContain('SUBSCRIBE /topic/rooms/2');
    expect(server.sockets[0]?.frames).toContain('UNSUBSCRIBE');
  });

  it('closes the socket on unmount, and opens no other', async () => {
    const { container, unmount } = render(page(<Room roomId="1" />));
    await waitFor(() => expect(container.textContent).toContain('online live'));
    unmount();
    await settled();
    expect(server.sockets).toHaveLength(1);
    expect(server.sockets[0]?.readyState).toBe(3);
    expect(client.connection.get().state).toBe('idle');
  });

  it('opens no socket when it is unmounted before the token came', async () => {
    render(page(<Room roomId="1" />)).unmount();
    await settled();
    expect(server.sockets).toHaveLength(0);
  });

  it('opens exactly one socket for a live list, and closes it with the list', async () => {
    const { container, unmount } = render(page(<Rooms />));
    await waitFor(() => expect(container.textContent).toBe('ready'));
    await settled();
    expect(server.sockets).toHaveLength(1);
    expect(client.connection.get().state).toBe('online');
    unmount();
    await settled();
    expect(server.sockets.map((socket) => socket.readyState)).toEqual([3]);
  });

  it('asks for nothing when it is rendered to a string', async () => {
    expect(renderToString(page(<Room roomId="1" />))).toContain('idle silent');
    await settled();
    expect([server.sockets, server.requests, tokens]).toEqual([[], [], 0]);
  });
});
