/**
 * A room that is on screen: its log, what is on its way to it, and how far the user has read.
 * Lives from `enter()` to the last `leave()`.
 */

import type { Link } from '../connection/link.js';
import { asChatError, ChatError } from '../errors.js';
import type { Http } from '../http.js';
import type { Outbox } from '../outbox/outbox.js';
import { Store } from '../store.js';
import type {
  ActivityEvent,
  ActivitySnapshot,
  Message,
  OutboxEntry,
  Readable,
  Room,
  RoomSnapshot,
} from '../types.js';
import { RoomActivity } from './activity.js';
import { HistoryLoader } from './loader.js';
import { RoomLog } from './log.js';
import { ReadMarker } from './read-marker.js';
import type { ReadMemory } from './read-memory.js';
import { ENDINGS, RoomSubscription, type Subscribed } from './subscription.js';

export interface RoomSurroundings {
  readonly http: Http;
  readonly outbox: Outbox;
  readonly random: () => number;
  readonly user: () => string | null;
  /** A message arrived while the room is on screen. */
  readonly arrived: (message: Message) => void;
  /** Something passed by in the room. */
  readonly happened: (event: ActivityEvent) => void;
  /** How far the user has read, over leaving and entering again. */
  readonly reading: ReadMemory;
  /** The user has read up to there. */
  readonly read: (roomId: string, offset: number, isAll: boolean) => void;
  /** One who entered the room lets go of it. */
  readonly left: (room: EnteredRoom) => void;
}

export class EnteredRoom implements Readable<RoomSnapshot> {
  readonly roomId: string;
  readonly #around: RoomSurroundings;
  readonly #log: RoomLog;
  readonly #loader: HistoryLoader;
  readonly #subscription: RoomSubscription;
  readonly #marker: ReadMarker;
  readonly #activity: RoomActivity;
  readonly #store = new Store(() => this.#snapshot());
  #room: Room | null = null;
  #status: RoomSnapshot['status'] = 'loading';
  #error: ChatError | null = null;
  #link: Link | null = null;
  #closed = false;
  #loadingOlder = false;
  #olderError: ChatError | null = null;

  /** Made by `ChatClient.enter`. */
  constructor(roomId: string, around: RoomSurroundings) {
    this.roomId = roomId;
    this.#around = around;
    this.#log = new RoomLog(roomId);
    this.#marker = new ReadMarker(roomId, (offset) => this.#read(offset));
    this.#loader = new HistoryLoader({
      roomId,
      log: this.#log,
      http: around.http,
      random: around.random,
      begun: (room) => this.#begun(room),
      changed: (grown) => this.#grew(grown),
      failed: (error) => this.#failed(error),
    });
    this.#subscription = new RoomSubscription({
      roomId,
      random: around.random,
      position: () => this.#log.position(),
      message: (message) => this.#message(message),
      subscribed: (head) => this.#subscribed(head),
      refused: (error) => this.#ended(error),
    });
    const { random, user, happened } = around;
    this.#activity = new RoomActivity({ roomId, random, user, happened });
    this.reload();
  }

  /** What passes by: who is here, who types, how far others have read. */
  get activity(): Readable<ActivitySnapshot> {
    return this.#activity;
  }

  get(): RoomSnapshot {
    return this.#store.get();
  }

  subscribe(listener: () => void): () => void {
    return this.#store.subscribe(listener);
  }

  /**
   * Sends a message. It shows in `outbox` at once, waits there while there is no connection, and
   * is stored once however often it has to be sent. Throws `ChatError` `invalid_content`,
   * `content_too_long`, `outbox_full`, and `left` once nobody is in the room any more.
   */
  send(content: string): OutboxEntry {
    if (this.#closed) throw new ChatError('left', 'This room was left; enter it again.', false);
    this.#activity.said(this.#around.user());
    return this.#around.outbox.add(this.roomId, content);
  }

  /** Lets the others see that the user types: call it with every key, it is told now and then. */
  typing(): void {
    if (!this.#closed) this.#activity.typing();
  }

  /** Sends a message that failed again. */
  resend(clientMessageId: string): void {
    if (!this.#closed) this.#around.outbox.resend(clientMessageId);
  }

  /** Forgets a message that failed. */
  discard(clientMessageId: string): void {
    if (!this.#closed) this.#around.outbox.discard(clientMessageId);
  }

  /** Loads the page before the oldest message. Never rejects: see `olderError`. */
  async loadOlder(): Promise<void> {
    if (this.#loadingOlder || this.#closed) return;
    this.#loadingOlder = true;
    this.#olderError = null;
    this.changed();
    try {
      await this.#loader.older();
    } catch (error) {
      this.#olderError = asChatError(error);
    }
    this.#loadingOlder = false;
    this.changed();
  }

  /** Loads the newest messages anew. */
  reload(): void {
    if (this.#closed) return;
    if (this.#status === 'error') this.#status = 'loading';
    this.#loader.reload();
    this.changed();
  }

  /** Moves the user's read marker, for all devices; without an offset to the newest message. */
  markRead(offset = this.#log.last): void {
    if (!this.#closed) this.#marker.move(Math.min(offset, this.#log.last));
  }

  /** Leaves the screen of the room. When nothing else needs the connection, it closes. */
  leave(): void {
    this.#around.left(this);
  }

  /**
   * Tells whether messages may be sent over the link: what was missed has come. Or never will:
   * then the server refuses them, and nobody waits for ever.
   */
  takesMessages(): boolean {
    return this.#subscription.isLive() || this.#status === 'ended';
  }

  /** Told by the client: there is a connection. */
  up(link: Link): void {
    this.#link = link;
    if (this.#status === 'ended') {
      void this.#lookAgain(link);
      return;
    }
    this.#subscription.up(link);
    this.#marker.up(link);
    this.#loader.complete();
  }

  /** Told by the client: the connection is gone. */
  down(): void {
    this.#link = null;
    this.#subscription.down();
    this.#activity.down();
    this.#marker.down();
    this.changed();
  }

  /** Told by the client: the last one has left. */
  close(): void {
    this.#closed = true;
    this.#activity.end();
    this.#subscription.leave();
    this.#marker.close();
    this.#loader.stop();
  }

  /** Told by the client: the user is a member no longer. */
  removed(): void {
    this.#ended(new ChatError('not_a_member', 'You are not a member of this room.', false));
  }

  /** Told by the client: the user is a member, perhaps once more. */
  joined(link: Link | null): void {
    if (this.#status !== 'ended') return;
    this.#status = 'loading';
    this.#error = null;
    this.#log.clear();
    this.#loader.start();
    if (link) this.up(link);
    this.changed();
  }

  /** Told by the client and the outbox: the snapshot is another one. */
  changed(): void {
    this.#store.changed();
  }

  #read(offset: number): void {
    const { epoch, last } = this.#log;
    if (epoch !== null) this.#around.reading.note({ roomId: this.roomId, epoch, offset });
    this.#around.read(this.roomId, offset, offset >= last);
  }

  #begun(asTold: Room): void {
    const room = this.#around.reading.applied(asTold);
    // As it was on entering; of another log, what was read of the last one means nothing.
    if (room.epoch !== this.#room?.epoch) {
      this.#room = room;
      this.#marker.reset();
    }
    this.#marker.known(asTold.readOffset, room.readOffset);
  }

  #message(message: Message): void {
    if (this.#log.epoch !== null && message.epoch !== this.#log.epoch) {
      this.#anew();
      return;
    }
    this.#activity.said(message.sender);
    this.#grew(this.#log.add(message));
    this.#loader.follow();
  }

  #subscribed({ offset, epoch, recovered }: Subscribed): void {
    const known = this.#log.epoch !== null;
    // Another log; or the same, restored to a time before what we have of it.
    const other = epoch !== this.#log.epoch || (!recovered && offset < this.#log.last);
    if (known && other) this.#anew();
    this.#log.reaches(offset, epoch);
    this.#loader.complete();
    if (this.#link !== null) this.#activity.up(this.#link);
    this.changed();
    this.#around.outbox.flush(this.roomId);
  }

  /** A membership that came back while there was no connection was told to nobody. */
  async #lookAgain(link: Link): Promise<void> {
    try {
      await this.#around.http.room(this.roomId);
    } catch {
      return;
    }
    if (!this.#closed && this.#link === link) this.joined(link);
  }

  #anew(): void {
    this.#log.clear();
    if (this.#status === 'ready') this.#status = 'loading';
    this.#marker.reset();
    this.#activity.reset();
    this.#loader.reload();
    this.changed();
  }

  #grew(grown: readonly Message[]): void {
    const whole = this.#status === 'loading' || this.#status === 'error';
    if (whole && this.#log.epoch !== null) this.#status = 'ready';
    if (this.#log.missing === 0) this.#error = null;
    // Where nothing came at the end, the slice may be another one.
    const fresh = whole || grown.length === 0 ? this.#log.messages() : grown;
    this.#around.outbox.seen(fresh, this.#around.user());
    this.changed();
    if (!whole) for (const message of grown) this.#around.arrived(message);
  }

  #failed(error: ChatError): void {
    if (ENDINGS.has(error.code)) {
      this.#ended(error);
      return;
    }
    this.#error = error;
    if (this.#status === 'loading') this.#status = 'error';
    this.changed();
  }

  #ended(error: ChatError): void {
    this.#status = 'ended';
    this.#error = error;
    this.#loader.stop();
    this.#activity.end();
    this.#subscription.end();
    this.changed();
    this.#around.outbox.flush(this.roomId);
  }

  #snapshot(): RoomSnapshot {
    return {
      roomId: this.roomId,
      status: this.#status,
      error: this.#error,
      live: this.#subscription.isLive(),
      room: this.#room,
      readOffsetOnEntry: this.#room?.readOffset ?? null,
      messages: this.#log.messages(),
      outbox: this.#around.outbox.of(this.roomId),
      hasOlder: this.#log.hasOlder,
      loadingOlder: this.#loadingOlder,
      olderError: this.#olderError,
    };
  }
}
