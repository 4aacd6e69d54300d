/**
 * What is said to a screen reader about new messages: the first at once, and then at most one
 * sentence in a while, which sums up what came meanwhile. A busy room must not talk without end.
 */

export interface Said {
  readonly sender: string;
  readonly text: string;
}

export interface Announcement extends Said {
  readonly count: number;
}

export const QUIET_MS = 3_000;
const LONGEST = 200;

export class Announcer {
  #waiting: Announcement | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #say: (announcement: Announcement) => void;

  constructor(say: (announcement: Announcement) => void) {
    this.#say = say;
  }

  add({ sender, text }: Said): void {
    const count = (this.#waiting?.count ?? 0) + 1;
    this.#waiting = { sender, text: text.slice(0, LONGEST), count };
    if (this.#timer === null) this.#flush();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting = null;
  }

  #flush(): void {
    this.#timer = null;
    if (this.#waiting === null) return;
    this.#say(this.#waiting);
    this.#waiting = null;
    this.#timer = setTimeout(() => this.#flush(), QUIET_MS);
  }
}
