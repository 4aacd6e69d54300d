/**
 * Where the room's messages are scrolled to: opens at the line for unread messages or at the end,
 * stays at the end while one is there, keeps its place when older messages are put on top.
 *
 * Item 0 of the list is the row for older messages, so row `n` is item `n + 1`.
 */

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { VirtualizerHandle } from 'virtua';
import { followsEnd, type Place } from './follows-end.js';
import type { OlderState } from './OlderRow.js';
import { newAfter, type Row, unreadIndex } from './rows.js';
import { useSlice } from './use-slice.js';

/** Older messages are asked for before the top is reached. */
const LOAD_OLDER_PX = 1_200;

interface ScrollOptions {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly handle: RefObject<VirtualizerHandle | null>;
  readonly rows: readonly Row[];
  readonly older: OlderState;
  readonly onAtEnd: (atEnd: boolean) => void;
}

export function useTimelineScroll({ scroller, handle, rows, older, onAtEnd }: ScrollOptions) {
  const { slice, shift } = useSlice(rows);
  const [isOpening, setOpening] = useState(true);
  const [isAway, setAway] = useState(false);
  const [day, setDay] = useState<number | null>(null);
  const [seen, setSeen] = useState<number | null>(null);
  const sticks = useRef(true);
  const place = useRef<Place | null>(null);
  const latest = useRef({ rows, older, onAtEnd });
  useLayoutEffect(() => {
    latest.current = { rows, older, onAtEnd };
  });

  // Gone, it shows no message: where the next one opens is not known yet.
  useEffect(() => () => latest.current.onAtEnd(false), []);

  const measure = useCallback(() => {
    const list = handle.current;
    if (!list || !scroller.current) return;
    const { rows, older, onAtEnd } = latest.current;
    const offset = list.scrollOffset;
    // Not the list's own: of a resize that made the browser scroll, it learns only after that.
    const height = scroller.current.clientHeight;
    const now = { offset, height, toGo: list.scrollSize - height - offset };
    sticks.current = followsEnd(sticks.current, place.current, now);
    place.current = now;
    onAtEnd(sticks.current);
    setAway(!sticks.current);
    setDay(rows[Math.max(0, list.findItemIndex(offset + 8) - 1)]?.entry.day ?? null);
    const bottom = rows[list.findItemIndex(offset + height) - 1]?.entry.offset;
    const lowest = sticks.current ? lastOffset(rows) : (bottom ?? 0);
    setSeen((before) => Math.max(before ?? 0, lowest));
    if (offset < LOAD_OLDER_PX && older.canLoad) older.load();
  }, [handle, scroller]);

  const toEnd = useCallback(() => {
    sticks.current = true;
    handle.current?.scrollToIndex(latest.current.rows.length, { align: 'end' });
  }, [handle]);

  // Opens, and opens again when what is shown was replaced by another part of the log.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once per slice, with its first rows
  useLayoutEffect(() => {
    const unread = unreadIndex(rows);
    place.current = null;
    setSeen(unread > 0 ? (rows[unread - 1]?.entry.offset ?? null) : null);
    if (unread >= 0 && slice === 0) {
      sticks.current = false;
      // A bit of what was read before gives the line its context.
      handle.current?.scrollToIndex(unread + 1, { align: 'start', offset: -56 });
    } else {
      toEnd();
    }
    return afterLayout(() => {
      setOpening(false);
      measure();
    });
  }, [slice]);

  // Keeps the end in view, and brings it into view for a message of one's own.
  const last = rows.at(-1)?.entry;
  const lastOwnKey = last?.own && last.state === 'pending' ? last.key : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the last message is another one
  useLayoutEffect(() => {
    if (isOpening) return;
    if (sticks.current || lastOwnKey !== null) toEnd();
    return afterLayout(measure);
  }, [last?.key]);

  // When a page is there and the top is still near, the next one is needed.
  useEffect(() => {
    if (!isOpening && older.canLoad) measure();
  }, [isOpening, older.canLoad, measure]);

  const onResize = useCallback(() => {
    if (sticks.current) toEnd();
    else measure();
  }, [toEnd, measure]);

  return {
    slice,
    shift,
    isOpening,
    isAway,
    day,
    newBelow: seen === null ? 0 : newAfter(rows, seen),
    onScroll: measure,
    onResize,
    toEnd,
  };
}

function lastOffset(rows: readonly Row[]): number {
  return rows.findLast(({ entry }) => entry.offset !== null)?.entry.offset ?? 0;
}

/** After the browser has laid out what is being rendered, and the list has measured it. */
function afterLayout(run: () => void): () => void {
  let frame = requestAnimationFrame(() => {
    frame = requestAnimationFrame(run);
  });
  return () => cancelAnimationFrame(frame);
}
