/**
 * Tells how the rows changed at their top: older ones were put there (then the list keeps its
 * place from the end), or they are another part of the log altogether (then it starts anew).
 */

import { useState } from 'react';
import type { Row } from './rows.js';

interface Slice {
  /** Counts up when the rows were replaced. */
  readonly slice: number;
  /** Older rows came on top in this very render. */
  readonly shift: boolean;
}

interface Top extends Slice {
  readonly rows: readonly Row[];
}

export function useSlice(rows: readonly Row[]): Slice {
  const [top, setTop] = useState<Top>({ rows, slice: 0, shift: false });
  if (top.rows === rows) return top;
  // Set while rendering: React renders again at once, before anybody sees the old state.
  const now = { rows, ...change(top, rows) };
  setTop(now);
  return now;
}

function change({ rows: before, slice }: Top, rows: readonly Row[]): Slice {
  const first = before[0]?.entry;
  if (first === undefined || rows[0]?.entry.key === first.key) return { slice, shift: false };
  const kept = rows.some(({ entry }) => entry.key === first.key);
  return kept ? { slice, shift: true } : { slice: slice + 1, shift: false };
}
