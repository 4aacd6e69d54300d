/**
 * What passes by in a room: who is here, who types, how far others have read. It is told while there
 * is a connection only, and nothing of it is made up for afterwards.
 */

import type { Link } from '../connection/link.js';
import { Retry } from '../retry.js';
import { Store } from '../store.js';
import type { ActivityEvent, ActivitySnapshot, Readable, Typist } from '../types.js';
import { activityEvent } from './activity-events.js';

/** How long somebody types after saying so. */
const FADES_MS = 5_000;

/** Pause before one says again that one types: within what it takes to fade. */
const AGAIN_MS = 3_000;

/** More who type at once are not told apart. */
const MOST_TYPISTS = 20;

/** How long it stands who was here when the connection broke: most breaks are shorter. */
const STANDS_MS = 2_000;

/** Least wait before a refused subscription is tried again; nobody waits for it. */
const RETRY_MS = 5_000;

export interface ActivityOptions {
  readonly roomId: string;
  readonly random: () => number;
  readonly user: () => string | null;
  readonly happened: (event: ActivityEvent) => void;
}

interface Typing extends Typist {
  readonly timer: ReturnType<typeof setTimeout>;
}

export class RoomActivity implements Readable<ActivitySnapshot> {
  readonly #options: ActivityOptions;
  readonly #store = new Store<ActivitySnapshot>(() => this.#snapshot());
  readonly #typing = new Map<string, Typing>();
  readonly #retry: Retry;
  #link: Link | null = null;
  #forgetting: ReturnType<typeof setTimeout> | undefined;
  #users: readonly string[] | null = null;
  #count: number | null = null;
  #readOffsets: ReadonlyMap<string, number> = new Map();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: ActivityOptions) {
    this.#options = options;
    this.#retry = new Retry(options.random, RETRY_MS);
  }

  get(): ActivitySnapshot {
    return this.#store.get();
  }

  subscribe(listener: () => void): () => void {
    return this.#store.subscribe(listener);
  }

  /** Told by the room: it is live on this link. */
  up(link: Link): void {
    if (this.#link === link) return;
    this.#link = link;
    this.#retry.succeeded();
    this.#subscribe(link);
  }

  /** Told by the room: the connection is gone. */
  down(): void {
    this.#retry.stop();
    this.#link = null;
    this.#toldAt = Number.NEGATIVE_INFINITY;
    for (const user of [...this.#typing.keys()]) this.#stopsTyping(user);
    clearTimeout(this.#forgetting);
    if (this.#count !== null) this.#forgetting = setTimeout(() => this.#forget(), STANDS_MS);
    this.#store.changed();
  }

  /** Ends it on the server too. */
  end(): void {
    this.#link?.unsubscribe(this.#id);
    this.down();
    this.#forget();
  }

  /** Lets the others see that the user types; as often as one likes. */
  typing(): void {
    if (this.#link === null || Date.now() - this.#toldAt < AGAIN_MS) return;
    this.#toldAt = Date.now();
    this.#link.send('/app/typing', { roomId: this.#options.roomId }, () => {});
  }

  /** Told by the room: this message came, or the user's own goes. So its sender types no longer. */
  said(user: string | null): void {
    if (user === this.#options.user()) this.#toldAt = Number.NEGATIVE_INFINITY;
    if (user !== null && this.#stopsTyping(user)) this.#store.changed();
  }

  /** Told by the room: the log is another one, and what was read of the last one means nothing. */
  reset(): void {
    this.#readOffsets = new Map();
    this.#store.changed();
  }

  get #id(): string {
    return `activity-${this.#options.roomId}`;
  }

  #subscribe(link: Link): void {
    link.subscribe(
      this.#id,
      `/topic/rooms/${this.#options.roomId}/activity`,
      {},
      (body) => link === this.#link && this.#received(body),
      (error) => {
        if (link !== this.#link || error === null || error.code === 'network') return;
        // Whether the room is open to the user is for the subscription to its log to find out.
        if (error.retryable) this.#retry.later(() => this.#subscribe(link), error.retryAfterMs);
      },
    );
  }

  #received(body: unknown): void {
    const event = activityEvent(body, this.#options.roomId);
    if (event === null) return;
    this.#take(event);
    this.#store.changed();
    this.#options.happened(event);
  }

  #forget(): void {
    clearTimeout(this.#forgetting);
    this.#users = null;
    this.#count = null;
    this.#store.changed();
  }

  #take(event: ActivityEvent): void {
    if (event.type === 'presence') {
      clearTimeout(this.#forgetting);
      this.#count = event.count;
      this.#users = event.users ?? null;
      return;
    }
    const { user } = event;
    if (user === this.#options.user()) return;
    if (event.type === 'typing') this.#types(user, event.userName ?? null);
    else if (event.type === 'read') this.#reads(user, event.offset);
    else if (event.type !== 'member-added') this.#stopsTyping(user);
    if (event.type === 'member-removed') this.#reads(user, null);
  }

  #types(user: string, name: string | null): void {
    clearTimeout(this.#typing.get(user)?.timer);
    if (!this.#typing.has(user) && this.#typing.size >= MOST_TYPISTS) return;
    const timer = setTimeout(() => {
      this.#typing.delete(user);
      this.#store.changed();
    }, FADES_MS);
    this.#typing.set(user, { user, name, timer });
  }

  #stopsTyping(user: string): boolean {
    clearTimeout(this.#typing.get(user)?.timer);
    return this.#typing.delete(user);
  }

  #reads(user: string, offset: number | null): void {
    const offsets = new Map(this.#readOffsets);
    if (offset === null) offsets.delete(user);
    else offsets.set(user, Math.max(offset, offsets.get(user) ?? 0));
    this.#readOffsets = offsets;
  }

  #snapshot(): ActivitySnapshot {
    return {
      users: this.#users,
      count: this.#count,
      typing: [...this.#typing.values()].map(({ user, name }) => ({ user, name })),
      readOffsets: this.#readOffsets,
    };
  }
}
