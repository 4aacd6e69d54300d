/** Where messages wait over a reload. One item per message, so that tabs do not overwrite another's. */

/** A message as it is stored. */
export interface StoredEntry {
  readonly clientMessageId: string;
  readonly roomId: string;
  readonly content: string;
  readonly createdAt: number;
  /** Code of the refusal, for one that failed. */
  readonly failed?: string;
}

/** Keeps entries by user. Nothing here may throw: what cannot be kept is still sent. */
export interface OutboxStorage {
  all(user: string): StoredEntry[];
  put(user: string, entry: StoredEntry): void;
  remove(user: string, clientMessageId: string): void;
}

const PREFIX = 'allibe.outbox';

/** Keeps entries in `localStorage`, or in any `Storage`. */
export class WebStorageOutbox implements OutboxStorage {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  all(user: string): StoredEntry[] {
    const prefix = keyOf(user, '');
    try {
      const keys = Array.from({ length: this.#storage.length }, (_, index) =>
        this.#storage.key(index),
      );
      return keys
        .filter((key) => key?.startsWith(prefix))
        .map((key) => this.#entry(user, key ?? ''))
        .filter((entry) => entry !== null);
    } catch {
      return [];
    }
  }

  put(user: string, entry: StoredEntry): void {
    try {
      this.#storage.setItem(keyOf(user, entry.clientMessageId), JSON.stringify(entry));
    } catch {
      // Full, or not allowed: it waits in memory only.
    }
  }

  remove(user: string, clientMessageId: string): void {
    try {
      this.#storage.removeItem(keyOf(user, clientMessageId));
    } catch {
      // Not allowed any more: it is sent again on the next visit, and stored once all the same.
    }
  }

  /** What is no entry of ours would come back on every visit. */
  #entry(user: string, key: string): StoredEntry | null {
    const entry = entryIn(this.#storage.getItem(key));
    if (entry !== null && key === keyOf(user, entry.clientMessageId)) return entry;
    this.#storage.removeItem(key);
    return null;
  }
}

/** Returns the browser's storage; null where there is none, or the page may not use it. */
export function browserStorage(): OutboxStorage | null {
  try {
    return globalThis.localStorage ? new WebStorageOutbox(globalThis.localStorage) : null;
  } catch {
    return null;
  }
}

function keyOf(user: string, clientMessageId: string): string {
  // A user id may hold dots; encoded it holds no blank, and a blank ends it.
  return `${PREFIX} ${encodeURIComponent(user)} ${clientMessageId}`;
}

function entryIn(text: string | null): StoredEntry | null {
  try {
    const entry = JSON.parse(text ?? '') as Partial<StoredEntry>;
    const whole =
      typeof entry.clientMessageId === 'string' &&
      typeof entry.roomId === 'string' &&
      typeof entry.content === 'string' &&
      isTime(entry.createdAt) &&
      (entry.failed === undefined || typeof entry.failed === 'string');
    return whole ? (entry as StoredEntry) : null;
  } catch {
    return null;
  }
}

/** Milliseconds that a `Date` can hold. */
function isTime(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= 8.64e15;
}
