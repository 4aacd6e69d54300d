/**
 * Keeps a room's log complete over HTTP: its entry and the newest page on entering, what a hole or
 * a failed recovery left out, older pages on request. One load at a time; one that fails is tried
 * again.
 */

import { asChatError, ChatError } from '../errors.js';
import type { Http } from '../http.js';
import { Retry } from '../retry.js';
import type { HistoryPage, Message, Room } from '../types.js';
import type { RoomLog } from './log.js';

/** Messages on a page that is looked at: a few screens. */
const PAGE = 50;

/** Messages on a page that closes a hole: the most that the server gives. */
const HOLE_PAGE = 200;

/** A hole longer than this is not closed: the log begins anew with the newest page. */
const LONGEST_HOLE = 1_000;

/** Least wait before a load that failed is tried again. */
const AGAIN_MS = 1_000;

export interface LoaderOptions {
  readonly roomId: string;
  readonly log: RoomLog;
  readonly http: Http;
  readonly random: () => number;
  /** The slice begins anew; this is the room's entry at that time. */
  readonly begun: (room: Room) => void;
  /** The slice is another one now; `grown` came at its end. */
  readonly changed: (grown: readonly Message[]) => void;
  /** A load failed. One that may be tried again is, by itself. */
  readonly failed: (error: ChatError) => void;
}

export class HistoryLoader {
  readonly #options: LoaderOptions;
  #loading = false;
  #stopped = false;
  /** How often it was stopped: what was asked for before that is of no use. */
  #stops = 0;
  /** The slice has to begin anew. */
  #stale = true;
  readonly #retry: Retry;

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.#retry = new Retry(options.random, AGAIN_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#stops += 1;
    this.#loading = false;
    this.#retry.stop();
  }

  /** Goes on after `stop()`, from the newest page. */
  start(): void {
    this.#stopped = false;
    this.reload();
  }

  /** Begins anew with the newest page. */
  reload(): void {
    this.#stale = true;
    this.complete();
  }

  /** Loads until nothing is missing; nothing to do where nothing is. */
  complete(): void {
    if (this.#loading || this.#stopped || this.#isComplete()) return;
    this.#retry.stop();
    this.#loading = true;
    void this.#load();
  }

  /** As `complete()`, but after a failure not before its time: messages may come fast. */
  follow(): void {
    if (!this.#retry.isWaiting) this.complete();
  }

  /** Loads the page before the slice. Rejects with `ChatError`. */
  async older(): Promise<void> {
    const { log, http, roomId } = this.#options;
    const epoch = log.epoch;
    if (epoch === null || !log.hasOlder) return;
    const { first } = log;
    const page = await http.history(roomId, { before: first, limit: PAGE });
    if (this.#stopped || log.epoch !== epoch) return;
    if (page.epoch !== epoch) this.reload();
    else if (log.prepend(page)) this.#options.changed([]);
    // Else the slice moved meanwhile; or older messages are said to be there, and are not.
    else if (log.first === first) throw incomplete();
  }

  #isComplete(): boolean {
    return !this.#stale && this.#options.log.missing === 0;
  }

  async #load(): Promise<void> {
    const stops = this.#stops;
    const current = () => stops === this.#stops;
    try {
      while (current() && !this.#isComplete()) await this.#page(current);
      if (current()) this.#retry.succeeded();
    } catch (error) {
      if (current()) this.#failed(asChatError(error));
    } finally {
      if (current()) this.#loading = false;
    }
  }

  async #page(current: () => boolean): Promise<void> {
    const { log, http, roomId } = this.#options;
    if (log.missing > LONGEST_HOLE || log.epoch === null) this.#stale = true;
    if (this.#stale) {
      await this.#newest(current);
      return;
    }
    const page = await http.history(roomId, { after: log.last, limit: HOLE_PAGE });
    if (current()) this.#continue(page);
  }

  async #newest(current: () => boolean): Promise<void> {
    const { log, http, roomId } = this.#options;
    const { endEpoch } = log;
    this.#stale = false;
    try {
      const [room, page] = await Promise.all([
        http.room(roomId),
        http.history(roomId, { limit: PAGE }),
      ]);
      if (!current()) return;
      // Another log was told of while the page was on its way: it may be of the one before.
      const outdated = log.endEpoch !== endEpoch && log.endEpoch !== page.epoch;
      if (outdated) this.#stale = true;
      else this.#begin(room, page);
    } catch (error) {
      if (current()) this.#stale = true;
      throw error;
    }
  }

  #begin(room: Room, page: HistoryPage): void {
    const { log, begun, changed } = this.#options;
    const sameLog = log.epoch === page.epoch;
    const last = log.last;
    log.reset(page);
    // Of a log that began while the room's entry was on its way, nothing is read yet.
    begun(room.epoch === page.epoch ? room : { ...room, epoch: page.epoch, readOffset: 0 });
    changed(sameLog ? log.messages().filter((message) => message.offset > last) : []);
    if (log.missing > LONGEST_HOLE) throw incomplete();
  }

  #continue(page: HistoryPage): void {
    const { log, changed } = this.#options;
    if (page.epoch !== log.epoch || log.isPruned(page)) {
      this.#stale = true;
      return;
    }
    const grown = log.append(page);
    if (grown.length === 0 && log.missing > 0) throw incomplete();
    changed(grown);
  }

  #failed(error: ChatError): void {
    this.#options.failed(error);
    if (error.retryable && !this.#stopped) {
      this.#retry.later(() => this.complete(), error.retryAfterMs);
    }
  }
}

/** What was told of the log is not in it yet: to be asked again, but not at once. */
function incomplete(): ChatError {
  return new ChatError('store_unavailable', 'The history ends before the room does.', true);
}
