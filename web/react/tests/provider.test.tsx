import type { ChatClient } from '@allibe/client';
import { cleanup, render, renderHook } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  ChatProvider,
  useChatClient,
  useConnection,
  useRoom,
  useRooms,
  useUnread,
} from '../src/index.js';
import { FakeClient } from './fake-client.js';

afterEach(cleanup);

function Probe({ seen }: { seen: ChatClient[] }) {
  seen.push(useChatClient());
  return null;
}

describe('ChatProvider', () => {
  it('gives the nearest client', () => {
    const outer = new FakeClient().asClient();
    const inner = new FakeClient().asClient();
    const seen: ChatClient[] = [];
    render(
      <ChatProvider client={outer}>
        <Probe seen={seen} />
        <ChatProvider client={inner}>
          <Probe seen={seen} />
        </ChatProvider>
      </ChatProvider>,
    );
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBe(outer);
    expect(seen[1]).toBe(inner);
  });

  it.each([
    ['useChatClient', useChatClient],
    ['useConnection', useConnection],
    ['useRooms', useRooms],
    ['useUnread', useUnread],
    ['useRoom', () => useRoom('r1')],
  ])('says what is missing when %s is used outside', (_name, useHook) => {
    const quiet = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(() => renderHook(() => useHook())).toThrow(/only below <ChatProvider client/);
    quiet.mockRestore();
  });
});
