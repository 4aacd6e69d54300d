/** The subscription to a room's log on the present link, with recovery from the last position. */

import type { Link } from '../connection/link.js';
import type { ChatError } from '../errors.js';
import { Retry } from '../retry.js';
import type { Message } from '../types.js';
import { isEntry } from './entry.js';

/** Least wait before a subscription that was refused for now is tried again. */
const AGAIN_MS = 500;

/** Refusals that say: not this user, or not this room. After any other one a try may succeed. */
export const ENDINGS: ReadonlySet<string> = new Set([
  'not_a_member',
  'not_allowed',
  'unknown_room',
  'invalid_room_id',
]);

/** Where the log stood, and whether what was missed has come. */
export interface Subscribed {
  readonly offset: number;
  readonly epoch: string;
  readonly recovered: boolean;
}

export interface SubscriptionOptions {
  readonly roomId: string;
  readonly random: () => number;
  /** The last position that is known, or null: only what is new is asked for then. */
  readonly position: () => string | null;
  readonly message: (message: Message) => void;
  readonly subscribed: (answer: Subscribed) => void;
  /** It is over, and trying again is useless. */
  readonly refused: (error: ChatError) => void;
}

export class RoomSubscription {
  readonly #options: SubscriptionOptions;
  #link: Link | null = null;
  #live = false;
  readonly #retry: Retry;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#retry = new Retry(options.random, AGAIN_MS);
  }

  isLive(): boolean {
    return this.#live;
  }

  up(link: Link): void {
    this.#link = link;
    this.#retry.succeeded();
    this.#subscribe(link);
  }

  down(): void {
    this.#retry.stop();
    this.#link = null;
    this.#live = false;
  }

  /** Ends it on the server too. */
  end(): void {
    this.#link?.unsubscribe(this.#id);
    this.down();
  }

  /** Ends it, and lets the others in the room know that the user left its screen. */
  leave(): void {
    const link = this.#link;
    this.end();
    link?.send('/app/leave', { roomId: this.#options.roomId }, () => {});
  }

  get #id(): string {
    return `room-${this.#options.roomId}`;
  }

  #subscribe(link: Link): void {
    const { roomId, position } = this.#options;
    const since = position();
    link.subscribe(
      this.#id,
      `/topic/rooms/${roomId}`,
      since === null ? {} : { 'x-since': since },
      (body) => link === this.#link && this.#received(body),
      (error, headers) => link === this.#link && this.#answered(link, error, headers),
    );
  }

  #answered(link: Link, error: ChatError | null, headers: Readonly<Record<string, string>>): void {
    if (error === null) {
      this.#live = true;
      this.#options.subscribed({
        offset: Number(headers['x-offset'] ?? 0),
        epoch: headers['x-epoch'] ?? '',
        recovered: headers['x-recovered'] !== 'false',
      });
    } else if (ENDINGS.has(error.code)) {
      this.#options.refused(error);
    } else if (error.code !== 'network') {
      this.#retry.later(() => this.#subscribe(link), error.retryAfterMs);
    }
  }

  #received(body: unknown): void {
    // What is no entry of the log has no offset: `removed`, which the user's queue tells too.
    if (isEntry(body) && body.roomId === this.#options.roomId) this.#options.message(body);
  }
}
