/** Puts the chosen theme onto the document. `system` leaves it to `prefers-color-scheme`. */

import type { Theme } from '../preferences/preferences.js';

const BAR = { light: '#ffffff', dark: '#16191a' } as const;

export function applyTheme(theme: Theme): void {
  const root = document.documentElement;
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;

  // The browser's own bar, where it has one.
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const own = meta.media.includes('dark') ? 'dark' : 'light';
    meta.content = BAR[theme === 'system' ? own : theme];
  }
}
