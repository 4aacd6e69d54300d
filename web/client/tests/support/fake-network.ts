/** What the browser would know; `change` tells the listeners. */

import type { Network } from '../../src/index.js';

export class FakeNetwork implements Network {
  readonly listeners = new Set<() => void>();
  #online = true;
  #visible = true;

  online(): boolean {
    return this.#online;
  }

  visible(): boolean {
    return this.#visible;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  change({ online = this.#online, visible = this.#visible }): void {
    this.#online = online;
    this.#visible = visible;
    for (const listener of [...this.listeners]) listener();
  }
}
