import { act, cleanup, render } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { ChatProvider, useActivity, useRoom } from '../src/index.js';
import { FakeClient } from './fake-client.js';

afterEach(cleanup);

let renders = { room: 0, activity: 0 };

function Room() {
  useRoom('r1');
  renders.room += 1;
  return null;
}

function Activity({ roomId }: { roomId: string }) {
  const { users, typing } = useActivity(roomId);
  renders.activity += 1;
  return <p>{[users?.join() ?? 'unknown', ...typing.map(({ user }) => user)].join(' ')}</p>;
}

function page(client: FakeClient, roomId = 'r1') {
  renders = { room: 0, activity: 0 };
  return (
    <ChatProvider client={client.asClient()}>
      <Room />
      <Activity roomId={roomId} />
    </ChatProvider>
  );
}

describe('the activity', () => {
  it('is that of the room, and renders what shows the room not again', () => {
    const client = new FakeClient();
    const { container } = render(page(client));
    expect(container.textContent).toBe('alice');
    const before = { ...renders };
    act(() => client.room('r1').activity.set({ typing: [{ user: 'bob', name: 'Bob' }] }));
    expect(container.textContent).toBe('alice bob');
    expect(renders).toEqual({ ...before, activity: before.activity + 1 });
  });

  it('is that of another room once that is on the screen', () => {
    const client = new FakeClient();
    client.room('r2').activity.set({ users: ['carol'] });
    const { container, rerender, unmount } = render(page(client));
    rerender(page(client, 'r2'));
    expect(container.textContent).toBe('carol');
    expect([client.room('r1').left, client.room('r1').activity.listeners.size]).toEqual([1, 0]);
    unmount();
    const rooms = ['r1', 'r2'].map((roomId) => client.room(roomId));
    expect(rooms.map((room) => room.entered - room.left)).toEqual([0, 0]);
  });
});
