/**
 * A snapshot that listeners can wait for. Changes are told once per microtask, however many they
 * were: a replay of 500 messages in one WebSocket message renders once.
 */

import { apart } from './events.js';
import type { Readable } from './types.js';

export class Store<T> implements Readable<T> {
  #snapshot: T | undefined;
  #told = true;
  readonly #make: () => T;
  readonly #listeners = new Set<() => void>();

  /** `make` returns the snapshot; it is called again only after `changed()`. */
  constructor(make: () => T) {
    this.#make = make;
  }

  get(): T {
    this.#snapshot ??= this.#make();
    return this.#snapshot;
  }

  subscribe(listener: () => void): () => void {
    // A wrapper of its own, so that one function may subscribe twice.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Says that what `make` looks at is different now. */
  changed(): void {
    this.#snapshot = undefined;
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      for (const listener of [...this.#listeners]) apart(listener);
    });
  }
}
