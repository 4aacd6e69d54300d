import { act, cleanup, render } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChatProvider, type UseRoomResult, useRoom } from '../src/index.js';
import { FakeClient, type FakeRoom, message } from './fake-client.js';

/** What each render saw: the room asked for and what the hook gave. */
let seen: { asked: string; got: UseRoomResult }[];
let client: FakeClient;

beforeEach(() => {
  seen = [];
  client = new FakeClient();
});
afterEach(cleanup);

function Probe({ roomId }: { roomId: string }) {
  const room = useRoom(roomId);
  seen.push({ asked: roomId, got: room });
  return <p>{room.messages.map((each) => each.content).join()}</p>;
}

function page(roomId: string, using = client) {
  return (
    <ChatProvider client={using.asClient()}>
      <Probe roomId={roomId} />
    </ChatProvider>
  );
}

function last(): UseRoomResult {
  const entry = seen.at(-1);
  if (entry === undefined) throw new Error('nothing was rendered');
  return entry.got;
}

function functionsOf(room: UseRoomResult) {
  const { send, resend, discard, loadOlder, reload, markRead, typing } = room;
  return [send, resend, discard, loadOlder, reload, markRead, typing];
}

function balance(room: FakeRoom) {
  return { entered: room.entered, left: room.left, listeners: room.listeners.size };
}

describe('entering and leaving', () => {
  it('enters on mount and leaves on unmount', () => {
    const { unmount } = render(page('r1'));
    expect(balance(client.room('r1'))).toEqual({ entered: 1, left: 0, listeners: 1 });
    unmount();
    expect(balance(client.room('r1'))).toEqual({ entered: 1, left: 1, listeners: 0 });
  });

  it('enters once only, however often it renders', () => {
    const { rerender } = render(page('r1'));
    rerender(page('r1'));
    act(() => client.room('r1').set({ live: false }));
    expect(balance(client.room('r1'))).toEqual({ entered: 1, left: 0, listeners: 1 });
  });

  it('is balanced under StrictMode, and leaves between only within one tick', async () => {
    const heldPerTick: number[] = [];
    const room = client.room('r1');
    const leave = room.leave.bind(room);
    room.leave = () => {
      leave();
      queueMicrotask(() => heldPerTick.push(room.entered - room.left));
    };
    const { unmount } = render(<StrictMode>{page('r1')}</StrictMode>);
    await Promise.resolve();
    // What closes the connection looks after a microtask: it finds the room entered again.
    expect(heldPerTick).toEqual([1]);
    expect(balance(room)).toEqual({ entered: 2, left: 1, listeners: 1 });
    expect(last().messages).toHaveLength(1);
    unmount();
    expect(balance(room)).toEqual({ entered: 2, left: 2, listeners: 0 });
  });

  it('leaves the old room and enters the new one when roomId changes', () => {
    const { rerender } = render(page('r1'));
    rerender(page('r2'));
    expect(balance(client.room('r1'))).toEqual({ entered: 1, left: 1, listeners: 0 });
    expect(balance(client.room('r2'))).toEqual({ entered: 1, left: 0, listeners: 1 });
  });

  it('leaves the room of the old client when the client changes', () => {
    const other = new FakeClient();
    const { rerender } = render(page('r1'));
    rerender(page('r1', other));
    expect(balance(client.room('r1'))).toEqual({ entered: 1, left: 1, listeners: 0 });
    expect(balance(other.room('r1'))).toEqual({ entered: 1, left: 0, listeners: 1 });
  });
});

describe('the snapshot', () => {
  it('is loading and empty at first, then that of the room', () => {
    render(page('r1'));
    const [first] = seen;
    expect(first?.got).toMatchObject({ roomId: 'r1', status: 'loading', messages: [] });
    expect(last()).toMatchObject({ roomId: 'r1', status: 'ready' });
  });

  it('renders again when the room changes', () => {
    const { container } = render(page('r1'));
    act(() => client.room('r1').set({ messages: [message('r1', 'hello')] }));
    expect(container.textContent).toBe('hello');
  });

  it('is never that of the room before', () => {
    const { rerender } = render(page('r1'));
    rerender(page('r2'));
    rerender(page('r1'));
    for (const { asked, got } of seen) {
      expect(got.roomId).toBe(asked);
      expect(got.messages.every((each) => each.roomId === asked)).toBe(true);
    }
    expect(last().status).toBe('ready');
  });

  it('is never that of the client before', () => {
    const other = new FakeClient();
    other.room('r1').set({ messages: [message('r1', 'of the other')] });
    const { rerender, container } = render(page('r1'));
    const before = seen.length;
    rerender(page('r1', other));
    expect(seen[before]?.got).toMatchObject({ status: 'loading', messages: [] });
    expect(container.textContent).toBe('of the other');
  });

  it('follows the new room and no longer the old one after a change', () => {
    const { rerender, container } = render(page('r1'));
    rerender(page('r2'));
    const before = seen.length;
    act(() => client.room('r1').set({ messages: [] }));
    expect(seen).toHaveLength(before);
    act(() => client.room('r2').set({ messages: [message('r2', 'second')] }));
    expect(container.textContent).toBe('second');
  });

  it('is the same object while nothing changes', () => {
    const { rerender } = render(page('r1'));
    const before = last();
    rerender(page('r1'));
    expect(last()).toBe(before);
  });

  it('renders nothing after unmount', () => {
    const { unmount } = render(page('r1'));
    unmount();
    const before = seen.length;
    act(() => client.room('r1').set({ live: false }));
    expect(seen).toHaveLength(before);
  });

  it('is shared by two components in the same room', () => {
    const { container } = render(
      <ChatProvider client={client.asClient()}>
        <Probe roomId="r1" />
        <Probe roomId="r1" />
      </ChatProvider>,
    );
    expect(balance(client.room('r1'))).toEqual({ entered: 2, left: 0, listeners: 2 });
    act(() => client.room('r1').set({ messages: [message('r1', 'both ')] }));
    expect(container.textContent).toBe('both both ');
  });
});

describe('the functions', () => {
  it('reach the room', async () => {
    render(page('r1'));
    const { send, resend, discard, loadOlder, reload, markRead, typing } = last();
    expect(send('hello')).toMatchObject({ content: 'hello', state: 'pending' });
    resend('c1');
    discard('c2');
    await loadOlder();
    reload();
    markRead();
    markRead(7);
    typing();
    expect(client.room('r1').calls).toEqual([
      'send:hello',
      'resend:c1',
      'discard:c2',
      'loadOlder',
      'reload',
      'markRead:newest',
      'markRead:7',
      'typing',
    ]);
  });

  it('stay the same as long as the room does', () => {
    const { rerender } = render(page('r1'));
    act(() => client.room('r1').set({ live: false }));
    rerender(page('r1'));
    const [first] = seen;
    if (first === undefined) throw new Error('nothing was rendered');
    const before = functionsOf(first.got);
    expect(functionsOf(last()).map((each, i) => each === before[i])).toEqual(Array(7).fill(true));
    rerender(page('r2'));
    expect(functionsOf(last()).map((each, i) => each === before[i])).toEqual(Array(7).fill(false));
  });

  it('of a room that was left reach no other room', async () => {
    const { rerender } = render(page('r1'));
    const old = last();
    rerender(page('r2'));
    expect(() => old.send('meant for r1')).toThrow(/not entered/);
    expect(() => old.resend('c1')).toThrow(/not entered/);
    expect(() => old.discard('c1')).toThrow(/not entered/);
    old.markRead();
    old.typing();
    old.reload();
    await old.loadOlder();
    expect(client.room('r1').calls).toEqual([]);
    expect(client.room('r2').calls).toEqual([]);
  });

  it('say so when the room is not entered any more', () => {
    const { unmount } = render(page('r1'));
    unmount();
    expect(() => last().send('too late')).toThrow(/not entered/);
  });
});
