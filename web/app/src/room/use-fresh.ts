/** Tells rows that came while one was looking from those that history brought. */

import { useEffect, useRef } from 'react';
import type { Row } from './rows.js';

export function useFresh(rows: readonly Row[], slice: number): (row: Row) => boolean {
  const known = useRef<{ slice: number; at: number } | null>(null);
  const newestAt = rows.at(-1)?.entry.at ?? 0;
  useEffect(() => {
    known.current = { slice, at: newestAt };
  }, [slice, newestAt]);
  return ({ entry }) => known.current?.slice === slice && entry.at > known.current.at;
}
