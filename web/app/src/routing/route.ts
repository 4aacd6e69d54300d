/**
 * What the address says is on the screen: `#/rooms/{id}`, or the list alone.
 *
 * In the fragment, so that the server serves one page, and the browser's back and forward walk
 * through rooms.
 */

import { useSyncExternalStore } from 'react';

const ROOM = /^#\/rooms\/([A-Za-z0-9_-]{1,64})\/?$/;

/** Put into a room's history entry that was opened from the list: closing it can go back there. */
const FROM_LIST = 'allibe-from-list';

/** Returns the room that the fragment names, or null. */
export function roomIn(fragment: string): string | null {
  return ROOM.exec(fragment)?.[1] ?? null;
}

export function addressOf(roomId: string): string {
  return `#/rooms/${roomId}`;
}

export function useOpenRoom(): string | null {
  return useSyncExternalStore(subscribe, () => roomIn(window.location.hash));
}

export function openRoom(roomId: string): void {
  const open = roomIn(window.location.hash);
  if (open === roomId) return;
  window.history.pushState(open === null ? FROM_LIST : null, '', addressOf(roomId));
  moved();
}

/** Back to the list: by going back where that leads there, so that history does not pile up. */
export function closeRoom(): void {
  if (roomIn(window.location.hash) === null) return;
  if (window.history.state === FROM_LIST) {
    window.history.back();
    return;
  }
  window.history.pushState(null, '', '#/');
  moved();
}

/** As `closeRoom`, for a room to which no way leads back (left, ended, signed out). */
export function forgetRoom(): void {
  if (window.location.hash === '') return;
  window.history.replaceState(null, '', `${window.location.pathname}${window.location.search}`);
  moved();
}

const listeners = new Set<() => void>();

function moved(): void {
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  window.addEventListener('hashchange', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
    window.removeEventListener('hashchange', listener);
  };
}
