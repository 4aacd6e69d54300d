/** Which rooms a typed word leaves in the list. */

import type { Room } from '@allibe/client';

/** From how many rooms on a search field is of more use than in the way. */
export const WORTH_FILTERING = 9;

/** Rooms whose name has all words of the filter, whatever their case. */
export function filtered(rooms: readonly Room[], filter: string): readonly Room[] {
  const words = plain(filter).split(/\s+/u).filter(Boolean);
  if (words.length === 0) return rooms;
  return rooms.filter(({ name }) => words.every((word) => plain(name).includes(word)));
}

/** NFKC joins Hangul that a Mac writes in parts. */
function plain(text: string): string {
  return text.normalize('NFKC').toLocaleLowerCase();
}
