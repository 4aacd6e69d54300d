/**
 * Tells the server whether the page is seen: in a hidden one nobody looks at a room, and what comes
 * there is worth a notification. A new connection counts as visible until it is told.
 */

import type { Network } from '../network.js';
import type { Link } from './link.js';

export class Visibility {
  readonly #network: Network;
  #unsubscribe: (() => void) | null = null;
  #told = true;

  constructor(network: Network) {
    this.#network = network;
  }

  /** A link that has its queue of errors, and no room yet. */
  up(link: Link): void {
    this.#told = true;
    this.#unsubscribe = this.#network.subscribe(() => this.#tell(link));
    this.#tell(link);
  }

  down(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  #tell(link: Link): void {
    const visible = this.#network.visible();
    if (visible === this.#told) return;
    this.#told = visible;
    // A server that does not know it refuses: then the page counts as visible, as before.
    link.send('/app/visibility', { visible }, () => {});
  }
}
