/** A ChatClient that connects nothing: tests set its snapshots and see what was asked of it. */

import type {
  ActivitySnapshot,
  ChatClient,
  ChatEvents,
  ConnectionSnapshot,
  Member,
  NewRoom,
  NotificationSettings,
  OutboxEntry,
  Room,
  RoomListSnapshot,
  RoomSnapshot,
} from '@allibe/client';
import { Value } from '../src/ui/stored.js';
import { room, snapshot } from './messages.js';

class Settable<T> extends Value<T> {
  change(change: Partial<T>): void {
    this.set({ ...this.get(), ...change });
  }
}

export class FakeRoom extends Settable<RoomSnapshot> {
  readonly calls: string[] = [];
  readonly activity = new Settable<ActivitySnapshot>({
    users: null,
    count: null,
    typing: [],
    readOffsets: new Map(),
  });
  /** Thrown by the next `send`. */
  refusal: Error | null = null;

  constructor(readonly roomId: string) {
    super(snapshot({ roomId }));
  }

  send(content: string): OutboxEntry {
    if (this.refusal) throw this.refusal;
    this.calls.push(`send ${content}`);
    return {
      clientMessageId: 'c',
      roomId: this.roomId,
      content,
      createdAt: 0,
      state: 'pending',
      error: null,
    };
  }

  resend = (id: string) => void this.calls.push(`resend ${id}`);
  discard = (id: string) => void this.calls.push(`discard ${id}`);
  markRead = (offset: number) => void this.calls.push(`read ${offset}`);
  reload = () => void this.calls.push('reload');
  typing = () => void this.calls.push('typing');
  leave = () => void this.calls.push('leave');

  async loadOlder(): Promise<void> {
    this.calls.push('older');
  }
}

export class FakeClient {
  readonly calls: string[] = [];
  readonly connection = new Settable<ConnectionSnapshot>({
    state: 'idle',
    attempt: 0,
    retryAt: null,
    lostAt: null,
    disconnect: null,
  });
  readonly rooms = Object.assign(
    new Settable<RoomListSnapshot>({ status: 'ready', rooms: [], unreadCount: 0, error: null }),
    {
      open: () => this.#held('open'),
      watch: () => this.#held('watch'),
      reload: async () => void this.calls.push('reload rooms'),
      mute: async (roomId: string, muted: boolean) => {
        this.calls.push(`mute ${roomId} ${muted}`);
        const { rooms } = this.rooms.get();
        this.rooms.change({
          rooms: rooms.map((one) => (one.roomId === roomId ? { ...one, muted } : one)),
        });
      },
      add: (created: Room) => void this.calls.push(`add room ${created.roomId}`),
    },
  );
  readonly entered = new Map<string, FakeRoom>();
  members: Member[] = [];
  quietHours: NotificationSettings['quietHours'] = null;
  readonly http = {
    notificationSettings: async () => ({ quietHours: this.quietHours }),
    changeNotificationSettings: async (settings: NotificationSettings) => {
      this.quietHours = settings.quietHours;
      return settings;
    },
    members: async () => {
      this.calls.push('load members');
      return this.members;
    },
    createRoom: async ({ name }: NewRoom) => room({ roomId: 'new', name }),
    addMember: async (room: string, user: string) => void this.calls.push(`add ${room} ${user}`),
    removeMember: async (room: string, user: string) =>
      void this.calls.push(`remove ${room} ${user}`),
  };
  readonly #listeners = new Map<string, Set<(event: never) => void>>();

  enter(roomId: string): FakeRoom {
    this.calls.push(`enter ${roomId}`);
    const room = this.entered.get(roomId) ?? new FakeRoom(roomId);
    this.entered.set(roomId, room);
    return room;
  }

  on(event: keyof ChatEvents, listener: (event: never) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit<K extends keyof ChatEvents>(event: K, value: ChatEvents[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }

  retry(): void {
    this.calls.push('retry');
  }

  /** As the type that the page takes. */
  get asClient(): ChatClient {
    return this as unknown as ChatClient;
  }

  #held(what: string): () => void {
    this.calls.push(what);
    return () => void this.calls.push(`end ${what}`);
  }
}
