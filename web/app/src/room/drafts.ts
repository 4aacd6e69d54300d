/** What was typed and not sent, per user and room. Kept with the tab, so a reload loses nothing. */

import { useCallback, useSyncExternalStore } from 'react';
import { keep, kept } from '../ui/stored.js';

const storage = () => window.sessionStorage;
const keyOf = (user: string, roomId: string) => `allibe.draft.${user}.${roomId}`;

/** In memory as well: storage may be closed or full. */
const drafts = new Map<string, string>();
const listeners = new Set<() => void>();

export function draftOf(user: string, roomId: string): string {
  const key = keyOf(user, roomId);
  const inMemory = drafts.get(key);
  if (inMemory !== undefined) return inMemory;
  const found = kept(storage, key);
  const draft = typeof found === 'string' ? found : '';
  drafts.set(key, draft);
  return draft;
}

export function keepDraft(user: string, roomId: string, text: string): void {
  const key = keyOf(user, roomId);
  drafts.set(key, text);
  keep(storage, key, text === '' ? null : text);
  for (const listener of [...listeners]) listener();
}

export function useDraft(user: string, roomId: string): string {
  return useSyncExternalStore(
    subscribe,
    useCallback(() => draftOf(user, roomId), [user, roomId]),
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
