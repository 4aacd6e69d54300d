import { describe, expect, it, vi } from 'vitest';
import { ChatError } from '../../src/errors.js';
import type { Http } from '../../src/http.js';
import { ReadMemory } from '../../src/room/read-memory.js';
import { RoomList } from '../../src/rooms/room-list.js';
import type { Room } from '../../src/types.js';
import { ROOM } from '../support/entered.js';
import { UNAVAILABLE } from '../support/fake-link.js';
import { FakeNetwork } from '../support/fake-network.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

function room(roomId: string, more: Partial<Room> = {}): Room {
  return { ...ROOM, roomId, ...more };
}

/** A list whose requests take 100 ms. */
function listed(...first: Room[]) {
  const around = {
    rooms: first as Room[] | ChatError,
    online: false,
    wants: 0,
    loads: 0,
    asked: 0,
  };
  const rooms = async () => {
    around.loads += 1;
    const answer = around.rooms;
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const one = async (roomId: string) => {
    around.asked += 1;
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (roomId === 'gone') throw new ChatError('unknown_room', 'No.', false);
    return room(roomId, { name: `asked ${around.asked}` });
  };
  const mute = async (roomId: string) => {
    if (roomId === 'gone') throw new ChatError('unknown_room', 'No.', false);
  };
  const network = new FakeNetwork();
  const list = new RoomList({
    http: { rooms, room: one, muteRoom: mute, unmuteRoom: mute } as unknown as Http,
    network,
    reading: new ReadMemory(),
    isOnline: () => around.online,
    want: () => {
      around.wants += 1;
      return () => {
        around.wants -= 1;
      };
    },
  });
  return { list, around, network };
}

async function open(...first: Room[]) {
  const all = listed(...first);
  const close = all.list.open();
  await pass(100);
  return { ...all, close };
}

function ids(list: RoomList): string[] {
  return list.get().rooms.map((one) => one.roomId);
}

describe('a list that nobody opened', () => {
  it('is idle, and takes no notice of events', async () => {
    const { list, around } = listed(room('1'));
    list.happened({ type: 'joined', roomId: '2', role: 'member' });
    list.read('1', 1, true);
    list.add(room('3'));
    list.up();
    await pass(60_000);
    expect(list.get()).toEqual({ status: 'idle', rooms: [], unreadCount: 0, error: null });
    expect([around.loads, around.asked]).toEqual([0, 0]);
  });
});

describe('an open list', () => {
  it('is loaded once for all who open it, and let go of by the last', async () => {
    const { list, around, network, close } = await open(room('1'));
    const other = list.open();
    expect(around.loads).toBe(1);
    close();
    close();
    await pass(30_000);
    expect(around.loads).toBe(2);
    expect(network.listeners.size).toBe(1);
    other();
    await pass(60_000);
    expect(around.loads).toBe(2);
    expect([network.listeners.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('wants the connection only where it is watched', async () => {
    const { list, around } = await open(room('1'));
    expect(around.wants).toBe(0);
    const end = list.watch();
    expect(around.wants).toBe(1);
    end();
    expect(around.wants).toBe(0);
  });

  it('joins a load that is under way', async () => {
    const { list, around } = await open(room('1'));
    const both = Promise.all([list.reload(), list.reload()]);
    await pass(100);
    await both;
    expect(around.loads).toBe(2);
  });

  it('tells of its changes', async () => {
    const { list } = await open(room('1'));
    const told = vi.fn();
    const end = list.subscribe(told);
    list.read('1', 9, true);
    await pass();
    expect(told).toHaveBeenCalledTimes(1);
    end();
    list.read('1', 10, true);
    await pass();
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('shows what it had while it loads again', async () => {
    const { list } = await open(room('1'));
    void list.reload();
    expect(list.get()).toMatchObject({ status: 'ready', rooms: [room('1')] });
  });

  it('is refreshed while it has no events, or an error, and somebody looks', async () => {
    const { list, around, network } = await open(room('1'));
    around.online = true;
    await pass(60_000);
    network.change({ visible: true });
    expect(around.loads).toBe(1);
    around.rooms = UNAVAILABLE;
    void list.reload();
    await pass(100);
    expect(list.get()).toMatchObject({ status: 'error', error: UNAVAILABLE, rooms: [room('1')] });
    around.rooms = [room('1'), room('2')];
    await pass(30_000);
    expect(list.get()).toMatchObject({ status: 'ready', error: null });
    expect(around.loads).toBe(3);
  });
});

describe('a load that fails', () => {
  it.each([
    [UNAVAILABLE, { code: 'store_unavailable' }],
    [new TypeError('x is undefined'), { name: 'ChatError', code: 'internal', retryable: true }],
  ])('by %s leaves an error, and what was there', async (failure, error) => {
    const { list, around } = await open(room('1'));
    around.rooms = failure as ChatError;
    void list.reload();
    await pass(100);
    expect(list.get()).toMatchObject({ status: 'error', error, rooms: [{ roomId: '1' }] });
  });
});

describe('a connection that comes up', () => {
  it('lets the list be loaded, once more where a load is under way', async () => {
    const { list, around } = await open(room('1'));
    list.up();
    await pass(100);
    expect(around.loads).toBe(2);
    list.up();
    await pass(50);
    around.rooms = [room('1'), room('2')];
    list.up();
    await pass(200);
    expect(around.loads).toBe(4);
    expect(ids(list).sort()).toEqual(['1', '2']);
  });
});

describe('events', () => {
  it('change a room that is known, and add one that is not', async () => {
    const { list, around } = await open(room('1', { unreadCount: 2 }));
    list.happened({ type: 'room', roomId: '1', unreadCount: 5, lastMessage: 'new' });
    expect(list.get()).toMatchObject({ unreadCount: 5, rooms: [{ lastMessage: 'new' }] });
    expect(around.asked).toBe(0);
    for (const type of ['room', 'joined'] as const) {
      list.happened({ type, roomId: type, unreadCount: 1, role: 'member' });
    }
    await pass(100);
    expect(ids(list).sort()).toEqual(['1', 'joined', 'room']);
  });

  it('tell of another role: the room is asked for', async () => {
    const { list } = await open(room('1'));
    list.happened({ type: 'joined', roomId: '1', role: 'admin' });
    await pass(100);
    expect(list.get().rooms).toMatchObject([{ roomId: '1', name: 'asked 1' }]);
  });

  it('remove a room, also one that is only just asked for', async () => {
    const { list } = await open(room('1'));
    list.happened({ type: 'joined', roomId: '2', role: 'member' });
    list.happened({ type: 'removed', roomId: '2' });
    list.happened({ type: 'removed', roomId: '1' });
    await pass(200);
    expect(ids(list)).toEqual([]);
  });

  it('mute a room that another device has muted, and add none', async () => {
    const { list } = await open(room('1'));
    const muted = () => list.get().rooms.map((one) => one.muted === true);
    list.happened({ type: 'muted', roomId: '1', muted: true });
    expect(muted()).toEqual([true]);
    list.happened({ type: 'muted', roomId: '1', muted: false });
    list.happened({ type: 'muted', roomId: '2', muted: true });
    await pass(200);
    expect([ids(list), muted()]).toEqual([['1'], [false]]);
  });

  it('of a room that is gone already change nothing', async () => {
    const { list } = await open(room('1'));
    list.happened({ type: 'joined', roomId: 'gone', role: 'member' });
    await pass(200);
    expect(list.get()).toMatchObject({ status: 'ready', error: null });
    expect(ids(list)).toEqual(['1']);
  });

  it('that come during a load are not undone by it, and ask for nothing meanwhile', async () => {
    const { list, around } = listed(room('1', { unreadCount: 1 }), room('2'));
    list.open();
    await pass(50);
    list.happened({ type: 'room', roomId: '1', unreadCount: 7 });
    list.happened({ type: 'removed', roomId: '2' });
    list.happened({ type: 'joined', roomId: '3', role: 'member' });
    expect(around.asked).toBe(0);
    await pass(50);
    expect(list.get()).toMatchObject({ status: 'ready', unreadCount: 7 });
    await pass(100);
    expect(ids(list).sort()).toEqual(['1', '3']);
    expect([around.loads, around.asked]).toEqual([1, 1]);
  });
});

describe('reading', () => {
  it('moves the marker forward, and counts nothing as unread only at the end', async () => {
    const { list } = await open(room('1', { unreadCount: 4, readOffset: 5 }), room('2'));
    list.read('1', 3, false);
    expect(list.get()).toMatchObject({ unreadCount: 4 });
    expect(list.get().rooms.find((one) => one.roomId === '1')?.readOffset).toBe(5);
    list.read('1', 9, true);
    list.read('unknown', 9, true);
    expect(list.get()).toMatchObject({ unreadCount: 0 });
    expect(list.get().rooms.find((one) => one.roomId === '1')?.readOffset).toBe(9);
  });
});

describe('closing', () => {
  it('forgets everything, for all who have it open, and what is under way', async () => {
    const { list, network, close } = await open(room('1'));
    void list.reload();
    list.happened({ type: 'joined', roomId: '2', role: 'member' });
    list.close();
    await pass(1_000);
    expect(list.get()).toEqual({ status: 'idle', rooms: [], unreadCount: 0, error: null });
    expect([network.listeners.size, vi.getTimerCount()]).toEqual([0, 0]);
    close();
  });

  it('takes no late failure for its own either, and can be opened again at once', async () => {
    const { list, around } = await open(room('1'));
    around.rooms = UNAVAILABLE;
    void list.reload();
    list.close();
    around.rooms = [room('2')];
    list.open();
    expect(list.get().status).toBe('loading');
    await pass(1_000);
    expect(list.get()).toMatchObject({ status: 'ready', error: null });
    expect(ids(list)).toEqual(['2']);
  });
});

describe('muting', () => {
  it('shows once the server has it, and not what it refuses', async () => {
    const { list, around } = await open(room('1'), room('gone'));
    const muted = (roomId: string) => list.get().rooms.find((one) => one.roomId === roomId)?.muted;
    await list.mute('1', true);
    expect([muted('1'), muted('gone')]).toEqual([true, undefined]);
    await list.mute('1', false);
    expect(muted('1')).toBe(false);
    const loading = list.reload();
    await list.mute('1', true);
    around.rooms = [room('1', { muted: true }), room('gone')];
    await pass(200);
    await loading;
    expect(muted('1')).toBe(true);
    await expect(list.mute('gone', true)).rejects.toMatchObject({ code: 'unknown_room' });
    expect(muted('gone')).toBeUndefined();
  });
});
