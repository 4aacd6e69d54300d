/** The present day, for what is named by it (Today, Yesterday). One timer for all who ask. */

import { useSyncExternalStore } from 'react';
import { startOfDay } from '../i18n/formats.js';

/** A computer that slept over midnight notices this late. */
const LOOK_MS = 60_000;

const listeners = new Set<() => void>();
let timer: number | undefined;

/** Midnight at which today began; rendered again when a new day does. */
export function useToday(): number {
  return useSyncExternalStore(subscribe, today);
}

function today(): number {
  return startOfDay(Date.now());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    for (const each of [...listeners]) each();
  }, LOOK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}
