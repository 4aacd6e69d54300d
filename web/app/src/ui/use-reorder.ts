/**
 * Keeps the children of a list in an order, and lets those that one sees glide to their new places.
 *
 * React is no help here: to bring the last of 500 children to the top it moves the other 499, and
 * each of them is laid out anew. So it is given the children in an order that never changes, and
 * what moves in the document is put there by hand: the one.
 */

import { type RefObject, useLayoutEffect, useRef } from 'react';
import { prefersCalm } from './media.js';

const GLIDE_MS = 260;

interface Arranged {
  readonly order: string;
  /** Where the children stood that were in view. */
  readonly tops: ReadonlyMap<string, number>;
}

/**
 * Children are told apart by `data-key`, which holds no comma. `order` names all of them; React
 * must render them in an order of its own, for example by key. The list's parent is what scrolls.
 */
export function useReorder(list: RefObject<HTMLElement | null>, order: readonly string[]): void {
  const last = useRef<Arranged>({ order: '', tops: new Map() });
  const wanted = order.join();
  useLayoutEffect(() => {
    const element = list.current;
    if (!element || wanted === last.current.order) return;
    arrange(element, wanted.split(','));
    last.current = { order: wanted, tops: glide(element, last.current) };
  }, [list, wanted]);
}

/** Puts the children in order. One that comes to the top is the only one that is moved. */
export function arrange(list: HTMLElement, order: readonly string[]): void {
  const children = new Map<string | undefined, HTMLElement>();
  for (const child of list.children) {
    if (child instanceof HTMLElement) children.set(child.dataset.key, child);
  }
  const focused = document.activeElement;
  let next = list.firstElementChild;
  for (const key of order) {
    const child = children.get(key);
    if (child === undefined) continue;
    if (child === next) next = child.nextElementSibling;
    else put(list, child, next);
  }
  // In a browser that moves by taking out and putting in, it would be lost.
  if (focused instanceof HTMLElement && focused !== document.activeElement) {
    focused.focus({ preventScroll: true });
  }
}

function put(list: HTMLElement, child: HTMLElement, before: Element | null): void {
  // Newer browsers can move an element as it is, with its focus and its animations.
  if ('moveBefore' in list) list.moveBefore(child, before);
  else (list as HTMLElement).insertBefore(child, before);
}

/**
 * Returns where those in view stand now. Only while the list shows its top: below it the browser
 * scrolls along, so that what one sees stays where it is.
 */
function glide(list: HTMLElement, { order, tops }: Arranged): ReadonlyMap<string, number> {
  const now = new Map<string, number>();
  const scroller = list.parentElement;
  if (scroller === null || scroller.scrollTop > 0 || prefersCalm()) return now;
  const height = scroller.clientHeight;
  const seen: [child: HTMLElement, key: string][] = [];
  // First all is read, then all is set in motion: in turns, each reading would lay out the list.
  for (const child of list.children) {
    if (!(child instanceof HTMLElement) || child.dataset.key === undefined) continue;
    const top = child.offsetTop - list.offsetTop;
    if (top >= height) break;
    now.set(child.dataset.key, top);
    seen.push([child, child.dataset.key]);
  }
  // Nothing is known of before: it was scrolled, or not there.
  if (tops.size === 0) return now;
  const keysBefore = new Set(order.split(','));
  for (const [child, key] of seen) {
    if (!keysBefore.has(key)) continue;
    // Who was not in view comes in from below.
    const moved = (tops.get(key) ?? height) - (now.get(key) ?? 0);
    if (moved !== 0) slide(child, moved);
  }
  return now;
}

function slide(child: HTMLElement, from: number): void {
  child.animate([{ transform: `translateY(${from}px)` }, { transform: 'none' }], {
    duration: GLIDE_MS,
    easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)',
  });
}
