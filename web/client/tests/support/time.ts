/** Virtual time: timers and `Date` stand still until `pass` moves them; microtasks are real. */

import { afterEach, beforeEach, expect, vi } from 'vitest';

export const START = Date.UTC(2026, 0, 5, 9);

/** To be called in a test file or a `describe`: each test begins at `START`. */
export function virtualTime(): void {
  const logged: unknown[][] = [];
  beforeEach(() => {
    vi.useFakeTimers({ now: START });
    vi.spyOn(console, 'log').mockImplementation((...line) => logged.push(line));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    // stompjs swallows what a handler of a frame throws, and logs it.
    expect(logged.splice(0)).toEqual([]);
  });
}

/** Lets so many milliseconds pass, and what they set off be done. */
export async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}
