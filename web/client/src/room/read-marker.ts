/** Moves the user's read marker in a room: forward only, at most once a moment, over any break. */

import type { Link } from '../connection/link.js';

/** Each move is a write to the database: those of a moment become one. */
const MOMENT_MS = 300;

export class ReadMarker {
  readonly #roomId: string;
  readonly #moved: (offset: number) => void;
  #wanted = 0;
  #told = 0;
  #link: Link | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `moved` is called when the user has read on, whether the server knows it already or not. */
  constructor(roomId: string, moved: (offset: number) => void) {
    this.#roomId = roomId;
    this.#moved = moved;
  }

  /** Takes note of what the server knows. */
  known(offset: number): void {
    this.#told = Math.max(this.#told, offset);
    this.#wanted = Math.max(this.#wanted, offset);
  }

  move(offset: number): void {
    if (offset <= this.#wanted) return;
    this.#wanted = offset;
    this.#moved(offset);
    this.#timer ??= setTimeout(() => this.#tell(), MOMENT_MS);
  }

  up(link: Link): void {
    this.#link = link;
    this.#tell();
  }

  down(): void {
    this.#link = null;
  }

  /** Tells what has not been told yet. */
  close(): void {
    this.#tell();
    this.#link = null;
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const offset = this.#wanted;
    if (this.#link === null || offset <= this.#told) return;
    const body = { roomId: this.#roomId, offset };
    this.#link.send('/app/read', body, (error) => {
      if (error === null) this.#told = Math.max(this.#told, offset);
    });
  }
}
