/**
 * Keeps a room's log complete over HTTP: the newest page on entering, what a hole or a failed
 * recovery left out, older pages on request. One load at a time; one that fails is tried again.
 */

import { backoff } from '../connection/backoff.js';
import { ChatError } from '../errors.js';
import type { Http } from '../http.js';
import type { HistoryPage, Message } from '../types.js';
import type { RoomLog } from './log.js';

/** Messages on a page that is looked at: a few screens. */
const PAGE = 50;

/** Messages on a page that closes a hole: the most that the server gives. */
const HOLE_PAGE = 200;

/** A hole longer than this is not closed: the log begins anew with the newest page. */
const LONGEST_HOLE = 1_000;

export interface LoaderOptions {
  readonly roomId: string;
  readonly log: RoomLog;
  readonly http: Http;
  readonly random: () => number;
  /** The slice is another one now; `grown` came at its end. */
  readonly changed: (grown: readonly Message[]) => void;
  /** A load failed. One that may be tried again is, by itself. */
  readonly failed: (error: ChatError) => void;
}

export class HistoryLoader {
  readonly #options: LoaderOptions;
  #loading = false;
  #stopped = false;
  /** The slice has to begin anew. */
  #stale = true;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Begins anew with the newest page. */
  reload(): void {
    this.#stale = true;
    this.complete();
  }

  /** Loads until nothing is missing; nothing to do where nothing is. */
  complete(): void {
    if (this.#loading || this.#stopped || this.#isComplete()) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#loading = true;
    void this.#load();
  }

  /** As `complete()`, but after a failure not before its time: messages may come fast. */
  follow(): void {
    if (this.#timer === undefined) this.complete();
  }

  /** Loads the page before the slice. Rejects with `ChatError`. */
  async older(): Promise<void> {
    const { log, http, roomId } = this.#options;
    const epoch = log.epoch;
    if (epoch === null || !log.hasOlder) return;
    const page = await http.history(roomId, { before: log.first, limit: PAGE });
    if (this.#stopped || log.epoch !== epoch) return;
    if (page.epoch !== epoch) this.reload();
    else if (log.prepend(page)) this.#options.changed([]);
  }

  #isComplete(): boolean {
    return !this.#stale && this.#options.log.missing === 0;
  }

  async #load(): Promise<void> {
    try {
      while (!this.#stopped && !this.#isComplete()) await this.#page();
      this.#failures = 0;
    } catch (error) {
      if (!this.#stopped) this.#failed(error as ChatError);
    } finally {
      this.#loading = false;
    }
  }

  async #page(): Promise<void> {
    const { log, http, roomId } = this.#options;
    if (log.missing > LONGEST_HOLE || log.epoch === null) this.#stale = true;
    if (this.#stale) {
      this.#stale = false;
      try {
        const page = await http.history(roomId, { limit: PAGE });
        if (!this.#stopped) this.#begin(page);
      } catch (error) {
        this.#stale = true;
        throw error;
      }
      return;
    }
    const page = await http.history(roomId, { after: log.last, limit: HOLE_PAGE });
    if (!this.#stopped) this.#continue(page);
  }

  #begin(page: HistoryPage): void {
    const { log, changed } = this.#options;
    const sameLog = log.epoch === page.epoch;
    const last = log.last;
    log.reset(page);
    changed(sameLog ? log.messages().filter((message) => message.offset > last) : []);
    if (log.missing > LONGEST_HOLE) throw incomplete();
  }

  #continue(page: HistoryPage): void {
    const { log, changed } = this.#options;
    if (page.epoch !== log.epoch) {
      this.#stale = true;
      return;
    }
    const grown = log.append(page);
    if (grown.length === 0 && log.missing > 0) throw incomplete();
    changed(grown);
  }

  #failed(error: ChatError): void {
    this.#options.failed(error);
    if (!error.retryable) return;
    const ms = backoff(this.#failures, error.retryAfterMs ?? 1_000, this.#options.random);
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.complete();
    }, ms);
  }
}

/** What was told of the log is not in it yet: to be asked again, but not at once. */
function incomplete(): ChatError {
  return new ChatError('store_unavailable', 'The history ends before the room does.', true);
}
