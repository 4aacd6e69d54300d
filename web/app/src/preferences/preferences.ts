/** What the user chose for this browser: language, theme, notifications. Shared by its tabs. */

import { keep, kept, Value } from '../ui/stored.js';

export const LANGUAGES = ['ko', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export interface Preferences {
  /** Null: as the browser says. */
  readonly language: Language | null;
  readonly theme: Theme;
  readonly notify: boolean;
}

const KEY = 'allibe.preferences';
const storage = () => window.localStorage;

export const preferences = new Value<Preferences>(read());

export function choose(change: Partial<Preferences>): void {
  preferences.set({ ...preferences.get(), ...change });
  keep(storage, KEY, preferences.get());
}

/** Follows what other tabs choose. Returns what ends that. */
export function followOtherTabs(): () => void {
  const changed = (event: StorageEvent) => {
    if (event.key === KEY || event.key === null) preferences.set(read());
  };
  window.addEventListener('storage', changed);
  return () => window.removeEventListener('storage', changed);
}

function read(): Preferences {
  const found = kept(storage, KEY);
  const { language, theme, notify } = (typeof found === 'object' && found ? found : {}) as Record<
    string,
    unknown
  >;
  return {
    language: LANGUAGES.find((known) => known === language) ?? null,
    theme: THEMES.find((known) => known === theme) ?? 'system',
    notify: notify === true,
  };
}
