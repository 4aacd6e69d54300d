/**
 * The connection: up while somebody wants it, back by itself when it breaks. The shell round
 * `machine.ts`: carries out effects, and tells those who use the connection when it is up.
 */

import { ChatError, SignedOut } from '../errors.js';
import type { Network } from '../network.js';
import { Store } from '../store.js';
import type { Tokens } from '../tokens.js';
import type { ConnectionSnapshot, Readable } from '../types.js';
import { Link, type MakeSocket, PROTOCOLS } from './link.js';
import {
  type Closed,
  type Effect,
  type Happening,
  IDLE,
  type Machine,
  snapshot,
  step,
} from './machine.js';
import { TokenRenewal } from './token-renewal.js';

/** A connection that lives this long counts as a success: the next wait is a short one again. */
const SETTLED_MS = 5_000;

export interface ConnectionOptions {
  readonly url: string;
  readonly tokens: Tokens;
  readonly webSocket: MakeSocket;
  readonly network: Network;
  readonly random: () => number;
  readonly heartBeatMs: number;
}

/** Someone who uses the connection. */
export interface ConnectionUser {
  up(link: Link): void;
  down(): void;
}

export class Connection implements Readable<ConnectionSnapshot> {
  readonly #options: ConnectionOptions;
  readonly #users: ConnectionUser[] = [];
  readonly #store = new Store(() => snapshot(this.#machine, this.#options.network.online()));
  #machine: Machine = IDLE;
  readonly #wants = new Set<object>();
  #link: Link | null = null;
  /** On its way up, and not yet the link. */
  #opening: Link | null = null;
  #renewal: TokenRenewal | null = null;
  /** Of waiting, of settling, or of moving: there is one at a time. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Distinguishes the present attempt from those that were given up. */
  #attempt = 0;
  /** The token that the last attempt used. */
  #token: string | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get(): ConnectionSnapshot {
    return this.#store.get();
  }

  subscribe(listener: () => void): () => void {
    return this.#store.subscribe(listener);
  }

  /** The link while it is up. */
  link(): Link | null {
    return this.#machine.phase === 'online' ? this.#link : null;
  }

  /** Tells the user of every link that comes up and goes down, in the order of adding. */
  add(user: ConnectionUser): void {
    this.#users.push(user);
  }

  /**
   * Keeps the connection up until the returned function is called. Whoever lets go and wants it
   * again in the same turn of the event loop (a change of rooms, React's StrictMode) keeps it.
   */
  want(): () => void {
    const want = {};
    this.#wants.add(want);
    this.#wantsChanged();
    return () => {
      if (this.#wants.delete(want)) queueMicrotask(() => this.#wantsChanged());
    };
  }

  /** Closes it, whoever wants it. */
  close(): void {
    this.#wants.clear();
    this.#wantsChanged();
  }

  /** Tries now, whatever the wait or the refusal. */
  retry(): void {
    this.#happened({ type: 'retry' });
  }

  /** The server behind this link will stop, and wants to be left after so long. */
  leave(link: Link, ms: number): void {
    if (link === this.link()) this.#happened({ type: 'hinted', ms });
  }

  #wantsChanged(): void {
    this.#happened({ type: this.#wants.size > 0 ? 'wanted' : 'unwanted' });
  }

  #happened(event: Happening): void {
    const { random, network } = this.#options;
    const before = this.#machine;
    const [machine, ...effects] = step(before, event, { now: Date.now(), random });
    if (machine === before && effects.length === 0) return;
    this.#machine = machine;
    if (machine.phase !== before.phase) this.#entered(machine, network);
    if (before.phase === 'online' && machine.phase !== 'online') this.#down();
    for (const effect of effects) this.#carryOut(effect);
    this.#store.changed();
  }

  #entered(machine: Machine, network: Network): void {
    clearTimeout(this.#timer);
    if (machine.phase === 'idle') {
      this.#unsubscribe?.();
      this.#unsubscribe = null;
    } else {
      this.#unsubscribe ??= network.subscribe(() => this.#surroundingsChanged());
    }
  }

  #surroundingsChanged(): void {
    const { network } = this.#options;
    if (network.online() && network.visible()) this.#happened({ type: 'woken' });
    this.#store.changed();
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'open':
        void this.#open(effect.freshToken);
        break;
      case 'wait':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#happened({ type: 'due' }), effect.ms);
        break;
      case 'close':
        this.#attempt += 1;
        this.#opening?.close();
        this.#link?.close();
        this.#opening = this.#link = null;
    }
  }

  async #open(freshToken: boolean): Promise<void> {
    const attempt = ++this.#attempt;
    const current = () => attempt === this.#attempt;
    let token: string;
    try {
      token = await this.#options.tokens.get(freshToken ? this.#token : null);
    } catch (error) {
      if (current()) this.#noToken(error);
      return;
    }
    if (!current()) return;
    this.#token = token;
    const socket = this.#socket();
    if (socket === null) return;
    const link = new Link({
      socket,
      token,
      heartBeatMs: this.#options.heartBeatMs,
      opened: () => this.#opened(link, token),
      closed: (closed) => this.#closed(link, closed),
    });
    this.#opening = link;
  }

  /** Browsers throw for an address that no attempt will ever open, as does a missing class. */
  #socket(): WebSocket | null {
    try {
      return this.#options.webSocket(this.#options.url, PROTOCOLS);
    } catch (error) {
      this.#failed({ type: 'refused', closed: { code: 1006, reason: String(error) } });
      return null;
    }
  }

  #noToken(error: unknown): void {
    if (error instanceof SignedOut || (error instanceof ChatError && !error.retryable)) {
      this.#failed({ type: 'refused', closed: { code: 4401, reason: error.message } });
    } else {
      this.#failed({ type: 'closed', closed: { code: 1006, reason: 'no token could be had' } });
    }
  }

  #opened(link: Link, token: string): void {
    const before = this.#link;
    this.#opening = this.#link = null;
    if (before !== null) {
      this.#down();
      before.close();
    }
    this.#link = link;
    this.#happened({ type: 'opened' });
    this.#renewal = new TokenRenewal(this.#options.tokens, link, token);
    this.#timer = setTimeout(() => this.#happened({ type: 'settled' }), SETTLED_MS);
    for (const user of this.#users) user.up(link);
  }

  #closed(link: Link, closed: Closed): void {
    if (link === this.#opening) {
      this.#opening = null;
      this.#failed({ type: 'closed', closed });
    } else {
      this.#link = null;
      this.#happened({ type: 'closed', closed });
    }
  }

  /** An attempt came to nothing. Where it was to take a link's place, that serves on. */
  #failed(event: Happening): void {
    this.#happened(this.#machine.moving === 'now' ? { type: 'stayed' } : event);
  }

  #down(): void {
    this.#renewal?.stop();
    this.#renewal = null;
    for (const user of this.#users) user.down();
  }
}
