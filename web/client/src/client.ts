/**
 * ChatClient: one user on one server. Wires the parts together and has no logic of its own.
 *
 * `up` and `down` of the connection go to the rooms, the list and the outbox, in this order: what
 * was missed comes first, what waits goes out after it.
 */

import { Connection } from './connection/connection.js';
import type { Link, MakeSocket } from './connection/link.js';
import { Visibility } from './connection/visibility.js';
import { ChatError } from './errors.js';
import { Events } from './events.js';
import { Http } from './http.js';
import { browserNetwork, type Network } from './network.js';
import { Outbox } from './outbox/outbox.js';
import { browserStorage, type OutboxStorage } from './outbox/storage.js';
import { EnteredRoom } from './room/entered-room.js';
import { fieldsOf, isEntry } from './room/entry.js';
import { ReadMemory } from './room/read-memory.js';
import { roomsEvent } from './rooms/events.js';
import { RoomList } from './rooms/room-list.js';
import { Tokens } from './tokens.js';
import type { ChatEvents, ConnectionSnapshot, GetToken, Notification, Readable } from './types.js';

/** Offered to the server; it offers the same. */
const HEART_BEAT_MS = 10_000;

export interface ChatClientOptions {
  /** Where the server is: `https://chat.example.com`. Paths below are the server's own. */
  readonly url: string;
  /** Asked whenever a token is needed; may answer from a cache unless `fresh` is set. */
  readonly getToken: GetToken;
  /** Where messages wait over a reload; `localStorage` by default, null for memory only. */
  readonly storage?: OutboxStorage | null;
  readonly heartBeatMs?: number;
  readonly webSocket?: MakeSocket;
  readonly fetch?: typeof fetch;
  readonly network?: Network;
  /** 0 (included) to 1 (excluded). */
  readonly random?: () => number;
}

interface Entry {
  readonly room: EnteredRoom;
  entered: number;
  readonly unwant: () => void;
}

export class ChatClient {
  /** The state of the connection. */
  readonly connection: Readable<ConnectionSnapshot>;
  /** The user's rooms. */
  readonly rooms: RoomList;
  /** Rooms, history and members over HTTP. */
  readonly http: Http;
  readonly #connection: Connection;
  readonly #tokens: Tokens;
  readonly #outbox: Outbox;
  readonly #random: () => number;
  readonly #visibility: Visibility;
  readonly #reading = new ReadMemory();
  readonly #events = new Events<ChatEvents>();
  readonly #entered = new Map<string, Entry>();
  #user: string | null = null;
  /** Keeps the connection up while messages wait. */
  #unwant: (() => void) | null = null;
  /** A token that comes after `close()` is of no use any more. */
  #closed = false;

  constructor(options: ChatClientOptions) {
    const url = options.url.replace(/\/+$/, '');
    const network = options.network ?? browserNetwork;
    this.#random = options.random ?? Math.random;
    this.#visibility = new Visibility(network);
    // What was left waiting on the last visit goes out as soon as somebody is signed in again.
    this.#tokens = new Tokens(options.getToken, (user) => {
      this.#reading.belongsTo(user);
      if (!this.#closed) this.#outbox.open(user);
    });
    this.#connection = new Connection({
      url: `${url.replace(/^http/, 'ws')}/allibe-ws`,
      tokens: this.#tokens,
      webSocket: options.webSocket ?? ((address, protocols) => new WebSocket(address, protocols)),
      network,
      random: this.#random,
      heartBeatMs: options.heartBeatMs ?? HEART_BEAT_MS,
    });
    this.connection = this.#connection;
    this.http = new Http({
      url: `${url}/api/chat`,
      tokens: this.#tokens,
      // Called on its own: browsers refuse `fetch` with another `this`.
      fetch: options.fetch ?? ((...request) => fetch(...request)),
    });
    this.rooms = new RoomList({
      http: this.http,
      network,
      reading: this.#reading,
      isOnline: () => this.#connection.link() !== null,
      want: () => this.#want(),
    });
    this.#outbox = new Outbox({
      storage: options.storage === undefined ? browserStorage() : options.storage,
      random: this.#random,
      link: (roomId) => this.#linkFor(roomId),
      changed: (roomId) => this.#outboxChanged(roomId),
    });
    this.#connection.add({ up: (link) => this.#up(link), down: () => this.#down() });
  }

  /** Whose token it is, or null until there is one. */
  user(): string | null {
    return this.#user ?? this.#tokens.user();
  }

  /**
   * Enters a room: opens the connection, loads what was said last, and follows it. The same
   * object while the room is entered; each `enter` needs one `leave`.
   */
  enter(roomId: string): EnteredRoom {
    const known = this.#entered.get(roomId);
    if (known) {
      known.entered += 1;
      return known.room;
    }
    const room = new EnteredRoom(roomId, {
      http: this.http,
      outbox: this.#outbox,
      random: this.#random,
      user: () => this.user(),
      reading: this.#reading,
      arrived: (message) => this.#events.emit('message', message),
      happened: (event) => this.#events.emit('activity', event),
      read: (id, offset, isAll) => this.rooms.read(id, offset, isAll),
      left: (left) => this.#left(left),
    });
    this.#entered.set(roomId, { room, entered: 1, unwant: this.#want() });
    const link = this.#connection.link();
    if (link) room.up(link);
    return room;
  }

  /** Calls the listener for each event of a kind. Returns what ends that. */
  on<K extends keyof ChatEvents>(kind: K, listener: (event: ChatEvents[K]) => void): () => void {
    return this.#events.on(kind, listener);
  }

  /** Tries to connect now: instead of waiting, or after a refusal. */
  retry(): void {
    this.#connection.retry();
  }

  /** Ends everything. What waits to be sent stays stored, and goes out when the user is back. */
  close(): void {
    this.#closed = true;
    for (const { room } of this.#entered.values()) room.close();
    this.#entered.clear();
    this.#unwant = null;
    this.#outbox.close();
    this.rooms.close();
    this.#connection.close();
  }

  #want(): () => void {
    this.#closed = false;
    return this.#connection.want();
  }

  #left(room: EnteredRoom): void {
    const entry = this.#entered.get(room.roomId);
    if (entry?.room !== room) return;
    entry.entered -= 1;
    // Whoever enters again in the same turn (React's StrictMode) finds the room as it was.
    if (entry.entered === 0) queueMicrotask(() => this.#leave(entry));
  }

  #leave(entry: Entry): void {
    const { room, unwant } = entry;
    if (entry.entered > 0 || this.#entered.get(room.roomId) !== entry) return;
    this.#entered.delete(room.roomId);
    room.close();
    unwant();
    // What waited for the room to be live waits for nothing any more.
    this.#outbox.flush(room.roomId);
  }

  #linkFor(roomId: string): Link | null {
    const entry = this.#entered.get(roomId);
    return entry && !entry.room.takesMessages() ? null : this.#connection.link();
  }

  #outboxChanged(roomId: string): void {
    this.#entered.get(roomId)?.room.changed();
    const waits = this.#outbox.isWaiting() && !this.#closed;
    if (waits) this.#unwant ??= this.#connection.want();
    else {
      this.#unwant?.();
      this.#unwant = null;
    }
  }

  #up(link: Link): void {
    this.#user = link.user ?? this.#tokens.user();
    const ignored = () => {};
    link.subscribe('errors', '/user/queue/errors', {}, (body) => this.#errors(link, body), ignored);
    // Before any room: who comes back hidden is not to be taken for somebody who looks.
    this.#visibility.up(link);
    link.subscribe('rooms', '/user/queue/rooms', {}, (body) => this.#roomsEvent(body), ignored);
    const notified = (body: unknown) => this.#notified(body);
    link.subscribe('notifications', '/user/queue/notifications', {}, notified, ignored);
    for (const { room } of this.#entered.values()) room.up(link);
    this.rooms.up();
    if (this.#user !== null) this.#outbox.open(this.#user);
    this.#outbox.flush();
  }

  #down(): void {
    this.#visibility.down();
    for (const { room } of this.#entered.values()) room.down();
  }

  #notified(body: unknown): void {
    if (isEntry(fieldsOf(body).message)) this.#events.emit('notification', body as Notification);
  }

  #roomsEvent(body: unknown): void {
    const event = roomsEvent(body);
    if (event === null) return;
    const room = this.#entered.get(event.roomId)?.room;
    if (event.type === 'removed') room?.removed();
    if (event.type === 'joined') room?.joined(this.#connection.link());
    this.rooms.happened(event);
  }

  #errors(link: Link, body: unknown): void {
    const { type, inMs } = fieldsOf(body);
    if (type !== 'reconnect') this.#refused(link, body);
    else if (typeof inMs === 'number') this.#connection.leave(link, inMs);
  }

  #refused(link: Link, body: unknown): void {
    const refusal = fieldsOf(body);
    const error = new ChatError(
      String(refusal.code),
      String(refusal.message),
      refusal.retryable === true,
      typeof refusal.retryAfterMs === 'number' ? refusal.retryAfterMs : null,
    );
    const receipt = refusal.receiptId;
    if (typeof receipt === 'string' && link.refuse(receipt, error)) return;
    this.#events.emit('error', error);
  }
}
