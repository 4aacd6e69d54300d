/** Questions to the browser window: how wide it is, and whether anybody looks at it. */

import { useCallback, useSyncExternalStore } from 'react';

/** The layout with the list beside the room. The same width as in Chat.css. */
export const WIDE = '(width >= 800px)';

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = window.matchMedia(query);
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

/** Whether the page is visible and has the focus: only then has somebody read what is on it. */
export function useAttention(): boolean {
  return useSyncExternalStore(
    subscribeAttention,
    () => !document.hidden && document.hasFocus(),
    () => false,
  );
}

/** Whether the page is hidden: another tab, minimised, a locked screen. */
export function useHidden(): boolean {
  return useSyncExternalStore(
    subscribeAttention,
    () => document.hidden,
    () => false,
  );
}

export function prefersCalm(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}

function subscribeAttention(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  window.addEventListener('focus', listener);
  window.addEventListener('blur', listener);
  return () => {
    document.removeEventListener('visibilitychange', listener);
    window.removeEventListener('focus', listener);
    window.removeEventListener('blur', listener);
  };
}
