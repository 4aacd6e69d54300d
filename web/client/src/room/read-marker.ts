/** Moves the user's read marker in a room: forward only, at most once a moment, over any break. */

import type { Link } from '../connection/link.js';

/** Each move is a write to the database: after one, those of a moment become one. */
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

  /** Takes note of what the server knows, and of what the user has read, which may be more. */
  known(told: number, read = told): void {
    this.#told = Math.max(this.#told, told);
    this.#wanted = Math.max(this.#wanted, told, read);
    if (this.#timer === undefined) this.#tell();
  }

  /** Begins anew: the room's log is another one. */
  reset(): void {
    this.#told = 0;
    this.#wanted = 0;
  }

  move(offset: number): void {
    if (offset <= this.#wanted) return;
    this.#wanted = offset;
    this.#moved(offset);
    if (this.#timer === undefined) this.#tell();
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
    clearTimeout(this.#timer);
    this.#link = null;
  }

  #tell(): void {
    const offset = this.#wanted;
    if (this.#link === null || offset <= this.#told) return;
    const before = this.#told;
    this.#told = offset;
    this.#link.send('/app/read', { roomId: this.#roomId, offset }, (error) => {
      // What is refused for good (no member any more) is not told again.
      if (error?.retryable && this.#told === offset) this.#told = before;
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, MOMENT_MS);
  }
}
