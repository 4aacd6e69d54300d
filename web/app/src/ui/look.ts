/** How a person or a room looks without a picture: letters, and a colour derived from the id. */

import type { CSSProperties } from 'react';
import { withoutControls } from '../i18n/bidi.js';

/** Hues that stay apart from each other, and from the accent where that is possible. */
const HUES = [12, 38, 62, 130, 165, 205, 245, 275, 305, 340] as const;

/** A hue in degrees, always the same for one id. */
export function hueOf(id: string): number {
  // FNV-1a: ids that differ in one character get different colours.
  let hash = 0x811c9dc5;
  for (const character of id) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return HUES[(hash >>> 8) % HUES.length] ?? HUES[0];
}

/** The hue for stylesheets, as `--hue`. */
export function hue(id: string): CSSProperties {
  return { '--hue': hueOf(id) } as CSSProperties;
}

/** One or two letters: of the first two words, or of a word without spaces the first. */
export function initialsOf(name: string): string {
  const words = withoutControls(name)
    .trim()
    .split(/[\s._-]+/u);
  const first = firstLetter(words[0]);
  const second = firstLetter(words[1]);
  // Two syllables of Hangul or two ideographs are wider than the circle.
  return /[ᄀ-ᇿ⺀-퟿豈-﫿]/u.test(first) ? first : first + second;
}

function firstLetter(word: string | undefined): string {
  if (!word) return '';
  const [letter = ''] = Array.from(new Intl.Segmenter().segment(word), ({ segment }) => segment);
  return letter.toLocaleUpperCase();
}
