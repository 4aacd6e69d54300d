/** Listeners by the name of an event. */

export class Events<Kinds extends object> {
  readonly #listeners = new Map<keyof Kinds, Set<(event: never) => void>>();

  /** Calls the listener for each event of the kind. Returns what ends that. */
  on<K extends keyof Kinds>(kind: K, listener: (event: Kinds[K]) => void): () => void {
    const of = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, of.add(listener));
    return () => {
      of.delete(listener);
    };
  }

  emit<K extends keyof Kinds>(kind: K, event: Kinds[K]): void {
    for (const listener of [...(this.#listeners.get(kind) ?? [])]) {
      apart(() => (listener as (event: Kinds[K]) => void)(event));
    }
  }
}

/** Calls a listener. What it throws is told to the page, and keeps nobody else from anything. */
export function apart(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
