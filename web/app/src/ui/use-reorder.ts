/** Lets the children of a list glide to their new places when the order changes. */

import { type RefObject, useLayoutEffect, useRef } from 'react';
import { prefersCalm } from './media.js';

const GLIDE_MS = 260;

/** Children are told apart by `data-key`; `order` says when to look. */
export function useReorder(list: RefObject<HTMLElement | null>, order: string): void {
  const places = useRef(new Map<string, number>());
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new order is when children moved
  useLayoutEffect(() => {
    const now = new Map<string, number>();
    for (const child of list.current?.children ?? []) {
      if (!(child instanceof HTMLElement) || child.dataset.key === undefined) continue;
      const { key } = child.dataset;
      now.set(key, child.offsetTop);
      const moved = (places.current.get(key) ?? child.offsetTop) - child.offsetTop;
      if (moved !== 0 && !prefersCalm()) {
        child.animate([{ transform: `translateY(${moved}px)` }, { transform: 'none' }], {
          duration: GLIDE_MS,
          easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)',
        });
      }
    }
    places.current = now;
  }, [list, order]);
}
