/** Work that is tried again after waits that grow with each failure. */

import { BACKOFF, type BackoffLimits, backoff } from './connection/backoff.js';

export class Retry {
  readonly #random: () => number;
  readonly #leastMs: number;
  readonly #limits: BackoffLimits;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `leastMs` is waited at least, where a failure does not say how long. */
  constructor(random: () => number, leastMs: number, limits: BackoffLimits = BACKOFF) {
    this.#random = random;
    this.#leastMs = leastMs;
    this.#limits = limits;
  }

  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Takes note of a failure, and does the work after a wait. */
  later(work: () => void, leastMs: number | null = null): void {
    this.stop();
    const ms = backoff(this.#failures, leastMs ?? this.#leastMs, this.#random, this.#limits);
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      work();
    }, ms);
  }

  /** Ends the wait; the work is not done. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Takes note of a success: the next wait is a short one. */
  succeeded(): void {
    this.#failures = 0;
  }
}
