/** How the hooks read a `Readable` of the client. Not exported from the package. */

import type { Readable } from '@allibe/client';
import { useCallback, useSyncExternalStore } from 'react';

/**
 * The present snapshot of `source`, rendered again after each change.
 *
 * `onServer` is what a server renders, and the browser's first pass over a server's page: the
 * same object at each render.
 */
export function useReadable<T>(source: Readable<T>, onServer: T): T {
  return useSyncExternalStore(
    useCallback((listener: () => void) => source.subscribe(listener), [source]),
    () => source.get(),
    () => onServer,
  );
}
