/**
 * The user's rooms: loaded over HTTP, kept fresh by events while there is a connection, and by
 * loading again now and then while there is none.
 */

import { asChatError, type ChatError } from '../errors.js';
import type { Http } from '../http.js';
import type { Network } from '../network.js';
import type { ReadMemory } from '../room/read-memory.js';
import { Store } from '../store.js';
import type { Readable, Room, RoomListSnapshot } from '../types.js';
import { patched, type RoomsEvent, sorted } from './events.js';

/** How often the list is loaded while it is open, visible, and no events come. */
const REFRESH_MS = 30_000;

export interface RoomListOptions {
  readonly http: Http;
  readonly network: Network;
  /** What the user has read, which an answer may not know yet. */
  readonly reading: ReadMemory;
  /** Whether events come. */
  readonly isOnline: () => boolean;
  /** Keeps the connection up until the returned function is called. */
  readonly want: () => () => void;
}

export class RoomList implements Readable<RoomListSnapshot> {
  readonly #options: RoomListOptions;
  readonly #store = new Store(() => this.#snapshot());
  #rooms: readonly Room[] = [];
  #status: RoomListSnapshot['status'] = 'idle';
  #error: ChatError | null = null;
  readonly #opened = new Set<object>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #unsubscribe: (() => void) | null = null;
  #loading: Promise<void> | null = null;
  /** What happened before events came has to be loaded, again if a load is under way. */
  #outdated = false;
  /** What happened while the list was being loaded: what comes may be older than that. */
  #meanwhile: RoomsEvent[] = [];
  /** The latest request for each room that is being added. */
  readonly #adding = new Map<string, object>();
  /** How often it was closed: what was asked for before that is of no use. */
  #closes = 0;

  constructor(options: RoomListOptions) {
    this.#options = options;
  }

  get(): RoomListSnapshot {
    return this.#store.get();
  }

  subscribe(listener: () => void): () => void {
    return this.#store.subscribe(listener);
  }

  /** Loads the list and keeps it fresh until the returned function is called. */
  open(): () => void {
    const reader = {};
    this.#opened.add(reader);
    if (this.#opened.size === 1) this.#start();
    return () => {
      if (this.#opened.delete(reader) && this.#opened.size === 0) this.#stop();
    };
  }

  /** As `open()`, and keeps the connection up, so that the list is live without a room entered. */
  watch(): () => void {
    const close = this.open();
    const unwant = this.#options.want();
    return () => {
      close();
      unwant();
    };
  }

  /** Loads the list anew. Never rejects: see `status` and `error`. */
  async reload(): Promise<void> {
    this.#loading ??= this.#load();
    await this.#loading;
  }

  /** Told by the client: events come from now on. What happened before has to be loaded. */
  up(): void {
    if (this.#status === 'idle') return;
    this.#outdated = true;
    void this.reload();
  }

  /** Told by the client: something happened to the list. */
  happened(event: RoomsEvent): void {
    if (this.#status === 'idle') return;
    if (this.#loading !== null) this.#meanwhile.push(event);
    this.#apply(event);
  }

  /** Told by an entered room: the user has read up to there. */
  read(roomId: string, offset: number, isAll: boolean): void {
    const room = this.#rooms.find((one) => one.roomId === roomId);
    if (room === undefined) return;
    const unreadCount = isAll ? 0 : room.unreadCount;
    this.#put(roomId, { ...room, unreadCount, readOffset: Math.max(room.readOffset, offset) });
  }

  /** Mutes a room, or not any more: nothing of it is pushed. Rejects with a `ChatError`. */
  async mute(roomId: string, muted: boolean): Promise<void> {
    const { http } = this.#options;
    await (muted ? http.muteRoom(roomId) : http.unmuteRoom(roomId));
    // A list that is being loaded may have been read before that.
    this.#outdated = true;
    const room = this.#rooms.find((one) => one.roomId === roomId);
    if (room !== undefined) this.#put(roomId, { ...room, muted });
  }

  /** Takes in a room that the user created, before any event tells of it. */
  add(room: Room): void {
    if (this.#status !== 'idle') this.#put(room.roomId, room);
  }

  /** Told by the client: the user signs out. Forgets everything, for all who have it open. */
  close(): void {
    this.#stop();
    this.#opened.clear();
    this.#closes += 1;
    this.#loading = null;
    this.#adding.clear();
    this.#rooms = [];
    this.#status = 'idle';
    this.#error = null;
    this.#store.changed();
  }

  #start(): void {
    const refresh = () => {
      const { network, isOnline } = this.#options;
      const isDue = !isOnline() || this.#status === 'error';
      if (network.visible() && isDue) void this.reload();
    };
    this.#timer = setInterval(refresh, REFRESH_MS);
    this.#unsubscribe = this.#options.network.subscribe(refresh);
    void this.reload();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  async #load(): Promise<void> {
    const closes = this.#closes;
    let error: ChatError | null = null;
    if (this.#status !== 'ready') this.#status = 'loading';
    this.#store.changed();
    try {
      do {
        this.#outdated = false;
        this.#meanwhile = [];
        const rooms = await this.#options.http.rooms();
        if (closes !== this.#closes) return;
        this.#rooms = sorted(rooms.map((room) => this.#options.reading.applied(room)));
      } while (this.#outdated);
    } catch (failure) {
      if (closes !== this.#closes) return;
      error = asChatError(failure);
    }
    this.#status = error === null ? 'ready' : 'error';
    this.#error = error;
    this.#loading = null;
    for (const event of this.#meanwhile.splice(0)) this.#apply(event);
    this.#store.changed();
  }

  async #add(roomId: string): Promise<void> {
    const request = {};
    this.#adding.set(roomId, request);
    try {
      const room = await this.#options.http.room(roomId);
      if (this.#adding.get(roomId) !== request) return;
      this.#adding.delete(roomId);
      this.#put(roomId, this.#options.reading.applied(room));
    } catch {
      // Left again, or the network: the next load tells.
    }
  }

  #apply(event: RoomsEvent): void {
    const known = this.#rooms.find((room) => room.roomId === event.roomId);
    if (event.type === 'removed') {
      this.#adding.delete(event.roomId);
      this.#put(event.roomId, null);
    } else if (event.type === 'muted') {
      if (known) this.#put(event.roomId, { ...known, muted: event.muted });
    } else if (event.type === 'room' && known) this.#put(event.roomId, patched(known, event));
    // A list that is being loaded may hold it already: the end of that sees to it.
    else if (this.#loading === null) void this.#add(event.roomId);
  }

  #put(roomId: string, room: Room | null): void {
    const others = this.#rooms.filter((one) => one.roomId !== roomId);
    this.#rooms = room === null ? others : sorted([...others, room]);
    this.#store.changed();
  }

  #snapshot(): RoomListSnapshot {
    const unreadCount = this.#rooms.reduce((sum, room) => sum + room.unreadCount, 0);
    return { status: this.#status, rooms: this.#rooms, unreadCount, error: this.#error };
  }
}
