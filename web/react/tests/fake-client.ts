/**
 * A ChatClient that connects nothing and counts: what the hooks enter, open and leave.
 *
 * Its shape is checked against the real one below; its behaviour is as small as the hooks need.
 */

import type {
  ActivitySnapshot,
  ChatClient,
  ConnectionSnapshot,
  EnteredRoom,
  Message,
  OutboxEntry,
  Readable,
  RoomList,
  RoomListSnapshot,
  RoomSnapshot,
} from '@allibe/client';

/** What the hooks use of the real classes: a stand-in must have this, as it is there. */
type UsedOfRoom = Readable<RoomSnapshot> &
  Pick<
    EnteredRoom,
    | 'roomId'
    | 'send'
    | 'resend'
    | 'discard'
    | 'loadOlder'
    | 'reload'
    | 'markRead'
    | 'typing'
    | 'activity'
    | 'leave'
  >;
type UsedOfRooms = Readable<RoomListSnapshot> & Pick<RoomList, 'reload' | 'open' | 'watch'>;
type UsedOfClient = Pick<ChatClient, 'connection' | 'retry'> & {
  rooms: UsedOfRooms;
  enter(...args: Parameters<ChatClient['enter']>): UsedOfRoom;
};

/** A `Readable` that the test sets. */
export class FakeReadable<T> implements Readable<T> {
  readonly listeners = new Set<() => void>();

  constructor(protected snapshot: T) {}

  get(): T {
    return this.snapshot;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  set(change: Partial<T>): void {
    this.snapshot = { ...this.snapshot, ...change };
    for (const listener of this.listeners) listener();
  }
}

export class FakeRoom extends FakeReadable<RoomSnapshot> implements UsedOfRoom {
  /** Calls of the functions, as `send:hello`. */
  readonly calls: string[] = [];
  entered = 0;
  left = 0;
  readonly activity = new FakeReadable<ActivitySnapshot>({
    users: ['alice'],
    count: 1,
    typing: [],
    readOffsets: new Map(),
  });

  constructor(readonly roomId: string) {
    super({
      roomId,
      status: 'ready',
      error: null,
      live: true,
      room: null,
      readOffsetOnEntry: 0,
      messages: [message(roomId, `first of ${roomId}`)],
      outbox: [],
      hasOlder: false,
      loadingOlder: false,
      olderError: null,
    });
  }

  send(content: string): OutboxEntry {
    this.calls.push(`send:${content}`);
    return {
      clientMessageId: `c${this.calls.length}`,
      roomId: this.roomId,
      content,
      createdAt: 0,
      state: 'pending',
      error: null,
    };
  }

  resend(clientMessageId: string): void {
    this.calls.push(`resend:${clientMessageId}`);
  }

  discard(clientMessageId: string): void {
    this.calls.push(`discard:${clientMessageId}`);
  }

  async loadOlder(): Promise<void> {
    this.calls.push('loadOlder');
  }

  reload(): void {
    this.calls.push('reload');
  }

  markRead(offset?: number): void {
    this.calls.push(`markRead:${offset ?? 'newest'}`);
  }

  typing(): void {
    this.calls.push('typing');
  }

  leave(): void {
    this.left += 1;
  }
}

export class FakeRoomList extends FakeReadable<RoomListSnapshot> implements UsedOfRooms {
  /** How many hold the list open, and how many of them watch. */
  opened = 0;
  watched = 0;
  reloads = 0;

  constructor() {
    super({ status: 'idle', rooms: [], unreadCount: 0, error: null });
  }

  async reload(): Promise<void> {
    this.reloads += 1;
  }

  open(): () => void {
    this.opened += 1;
    return () => {
      this.opened -= 1;
    };
  }

  watch(): () => void {
    this.watched += 1;
    return () => {
      this.watched -= 1;
    };
  }
}

export class FakeClient implements UsedOfClient {
  readonly connection = new FakeReadable<ConnectionSnapshot>({
    state: 'idle',
    attempt: 0,
    retryAt: null,
    lostAt: null,
    disconnect: null,
  });
  readonly rooms = new FakeRoomList();
  retries = 0;
  readonly #known = new Map<string, FakeRoom>();

  /** The room that `enter` gives, entered or not. */
  room(roomId: string): FakeRoom {
    const room = this.#known.get(roomId) ?? new FakeRoom(roomId);
    this.#known.set(roomId, room);
    return room;
  }

  enter(roomId: string): FakeRoom {
    const room = this.room(roomId);
    room.entered += 1;
    return room;
  }

  retry(): void {
    this.retries += 1;
  }

  /** This fake as what `ChatProvider` takes. */
  asClient(): ChatClient {
    return this as unknown as ChatClient;
  }
}

export function message(roomId: string, content: string, offset = 1): Message {
  return {
    type: 'message',
    roomId,
    epoch: 'e1',
    offset,
    messageId: `${roomId}-${offset}`,
    sender: 'alice',
    content,
    sentAt: '2026-01-01T00:00:00Z',
  };
}
