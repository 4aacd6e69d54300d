/**
 * Gathers what comes for a room within a moment into one notification: nobody wants to be called
 * thirty times.
 */

import type { Notification } from '@allibe/client';

export const MOMENT_MS = 500;

export interface Gathered {
  /** The last one. */
  readonly notification: Notification;
  readonly count: number;
}

export class Gatherer {
  readonly #tell: (gathered: Gathered) => void;
  readonly #waiting = new Map<string, Gathered>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(tell: (gathered: Gathered) => void) {
    this.#tell = tell;
  }

  add(notification: Notification): void {
    const { roomId } = notification;
    const before = this.#waiting.get(roomId);
    this.#waiting.set(roomId, { notification, count: (before?.count ?? 0) + 1 });
    if (before) return;
    // From the first one on: a room where somebody always writes is told of too.
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#flush(roomId);
    }, MOMENT_MS);
    this.#timers.add(timer);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
  }

  #flush(roomId: string): void {
    const gathered = this.#waiting.get(roomId);
    this.#waiting.delete(roomId);
    if (gathered) this.#tell(gathered);
  }
}
