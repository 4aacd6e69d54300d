/** The present time, for what changes by itself: days that end, countdowns. */

import { useCallback, useSyncExternalStore } from 'react';

/** Now, rounded down to a multiple of `everyMs`; rendered again when that changes. */
export function useNow(everyMs: number): number {
  const subscribe = useCallback(
    (listener: () => void) => {
      const timer = window.setInterval(listener, Math.min(everyMs, 60_000));
      return () => window.clearInterval(timer);
    },
    [everyMs],
  );
  const get = () => Math.floor(Date.now() / everyMs) * everyMs;
  return useSyncExternalStore(subscribe, get, get);
}
