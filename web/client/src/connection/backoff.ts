/**
 * How long to wait before the next attempt: full jitter, so that the clients of a server that
 * restarts come back spread over time and not in waves.
 */

export interface BackoffLimits {
  /** Range of the first wait (ms); doubles with each failure. */
  readonly baseMs: number;
  /** Longest wait (ms). */
  readonly mostMs: number;
}

export const BACKOFF: BackoffLimits = { baseMs: 1_000, mostMs: 30_000 };

/**
 * Returns milliseconds: `leastMs`, plus anything up to a ceiling that doubles with `failures`.
 * `random` returns 0 (included) to 1 (excluded).
 */
export function backoff(
  failures: number,
  leastMs: number,
  random: () => number,
  { baseMs, mostMs }: BackoffLimits = BACKOFF,
): number {
  const ceiling = Math.min(mostMs, baseMs * 2 ** Math.min(failures, 30));
  return Math.round(leastMs + random() * ceiling);
}
