/** The subscription to a room's log on the present link, with recovery from the last position. */

import { backoff } from '../connection/backoff.js';
import type { Link } from '../connection/link.js';
import type { ChatError } from '../errors.js';
import type { Message } from '../types.js';

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
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  isLive(): boolean {
    return this.#live;
  }

  up(link: Link): void {
    this.#link = link;
    this.#failures = 0;
    this.#subscribe(link);
  }

  down(): void {
    clearTimeout(this.#timer);
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
    } else if (!error.retryable) {
      this.#options.refused(error);
    } else if (error.code !== 'network') {
      const ms = backoff(this.#failures, error.retryAfterMs ?? 500, this.#options.random);
      this.#failures += 1;
      this.#timer = setTimeout(() => this.#subscribe(link), ms);
    }
  }

  #received(body: unknown): void {
    const { offset } = (body ?? {}) as { offset?: unknown };
    // What has no offset is no entry of the log: `removed`, which the user's queue tells too.
    if (typeof offset === 'number') this.#options.message(body as Message);
  }
}
