/**
 * What is known of a room's log: a slice without holes, and messages that came ahead of it.
 *
 * The offset tells a repeated message (known), the next one, and a hole (what lies between has to
 * be loaded). The epoch tells that the log is another one, where equal offsets mean nothing.
 */

import type { HistoryPage, Message } from '../types.js';

/** Messages kept at most: hours of a busy room; older ones can be loaded again. */
const MOST_MESSAGES = 20_000;

/** Dropped at once when there are too many, so that it happens seldom. */
const DROPPED = 5_000;

/** Messages kept that came ahead of a hole; more of them are loaded with it. */
const MOST_AHEAD = 1_000;

export class RoomLog {
  readonly #roomId: string;
  #epoch: string | null = null;
  /** Offset before the first message of the slice. */
  #base = 0;
  /** Offset before the first message that the server still has, as far as it was told. */
  #start = 0;
  #messages: Message[] = [];
  readonly #ahead = new Map<number, Message>();
  /** The greatest offset that is known to exist, and in which log. */
  #end = 0;
  #endEpoch: string | null = null;

  constructor(roomId: string) {
    this.#roomId = roomId;
  }

  /** Null until a page was loaded. */
  get epoch(): string | null {
    return this.#epoch;
  }

  /** Offset of the last message of the slice. */
  get last(): number {
    return this.#base + this.#messages.length;
  }

  /** Offset of the first message of the slice; one past the last where it is empty. */
  get first(): number {
    return this.#base + 1;
  }

  /** How many messages are known to be missing after the slice. */
  get missing(): number {
    return Math.max(0, this.#end - this.last);
  }

  /** Of which log the end is known; null where nothing was told of it. */
  get endEpoch(): string | null {
    return this.#endEpoch;
  }

  get hasOlder(): boolean {
    return this.#base > this.#start;
  }

  /** A copy of the slice. */
  messages(): readonly Message[] {
    return this.#messages.slice();
  }

  /** `<roomId>.<epoch>.<offset>` of the last message, for `x-since`; null until there is a log. */
  position(): string | null {
    return this.#epoch === null ? null : `${this.#roomId}.${this.#epoch}.${this.last}`;
  }

  /**
   * Takes a message that arrived. Returns those that the slice grew by: none for one that is known
   * or that came ahead (then `missing` tells), several when it closed a hole.
   */
  add(message: Message): readonly Message[] {
    this.reaches(message.offset, message.epoch);
    if (message.offset <= this.last && this.#epoch !== null) return [];
    if (this.#ahead.size < MOST_AHEAD) this.#ahead.set(message.offset, message);
    return this.#epoch === null ? [] : this.#drain();
  }

  /** Takes note that the log of this epoch goes up to this offset. */
  reaches(offset: number, epoch: string): void {
    this.#end = epoch === this.#endEpoch ? Math.max(this.#end, offset) : offset;
    this.#endEpoch = epoch;
  }

  /** Takes a page that continues the slice. Returns what the slice grew by. */
  append(page: HistoryPage): readonly Message[] {
    const grown: Message[] = [];
    for (const message of page.messages) {
      if (message.offset === this.last + 1) grown.push(this.#push(message));
    }
    this.reaches(page.lastOffset, page.epoch);
    return [...grown, ...this.#drain()];
  }

  /**
   * Takes a page that ends where the slice begins, or says that nothing is left there. Returns false
   * for one that does not.
   */
  prepend(page: HistoryPage): boolean {
    const { messages } = page;
    const isEnd = messages.length === 0 && page.nextBefore === undefined;
    if (!isEnd && messages.at(-1)?.offset !== this.#base) return false;
    this.#messages = [...messages, ...this.#messages];
    this.#base -= messages.length;
    if (page.nextBefore === undefined) this.#start = this.#base;
    return true;
  }

  /** Whether what follows the slice was deleted: the page begins later. */
  isPruned(page: HistoryPage): boolean {
    const first = page.messages[0]?.offset ?? (page.nextAfter ?? page.lastOffset) + 1;
    return first > this.last + 1;
  }

  /** Begins anew with the newest page; what came ahead in the meantime follows it. */
  reset(page: HistoryPage): void {
    const newEpoch = this.#epoch !== null && page.epoch !== this.#epoch;
    if (newEpoch) this.clear();
    // What arrived while the page was on its way is newer than it.
    for (const one of this.#messages) {
      if (one.offset > page.lastOffset) this.#ahead.set(one.offset, one);
    }
    this.#epoch = page.epoch;
    this.#messages = [...page.messages];
    // An empty page says where it is empty; what was stored while it was read comes after that.
    const first = page.messages[0];
    this.#base = first ? first.offset - 1 : (page.nextAfter ?? page.lastOffset);
    this.#start = page.nextBefore === undefined ? this.#base : 0;
    this.reaches(page.lastOffset, page.epoch);
    for (const { offset, epoch } of this.#ahead.values()) {
      if (epoch !== page.epoch) this.#ahead.delete(offset);
    }
    this.#drain();
  }

  /** Forgets everything: the log is another one. */
  clear(): void {
    this.#epoch = null;
    this.#base = 0;
    this.#start = 0;
    this.#messages = [];
    this.#ahead.clear();
    this.#end = 0;
    this.#endEpoch = null;
  }

  #drain(): readonly Message[] {
    const grown: Message[] = [];
    for (let next = this.#ahead.get(this.last + 1); next; next = this.#ahead.get(this.last + 1)) {
      this.#ahead.delete(next.offset);
      grown.push(this.#push(next));
    }
    for (const offset of this.#ahead.keys()) if (offset <= this.last) this.#ahead.delete(offset);
    return grown;
  }

  #push(message: Message): Message {
    this.#messages.push(message);
    if (this.#messages.length > MOST_MESSAGES) {
      this.#messages.splice(0, DROPPED);
      this.#base += DROPPED;
    }
    return message;
  }
}
