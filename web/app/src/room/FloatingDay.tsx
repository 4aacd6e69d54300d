import { type RefObject, useEffect, useState } from 'react';
import { useWords } from '../i18n/language.js';
import { useToday } from '../ui/clock.js';

const SHOWN_MS = 1_200;
/** How long after a hand moved something scrolling is still its doing: a flick rolls on. */
const ROLLS_MS = 1_500;
const GESTURES = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const;

interface FloatingDayProps {
  readonly day: number | null;
  readonly scroller: RefObject<HTMLElement | null>;
}

/** The day of what is at the top of the window, while somebody scrolls. Decoration. */
export function FloatingDay({ day, scroller }: FloatingDayProps) {
  const { format } = useWords();
  const today = useToday();
  const isShown = useScrolledByHand(scroller);
  const name = day === null ? '' : format.day(day, today);
  if (name === '') return null;
  return (
    <div className="floating-day" data-shown={isShown} aria-hidden="true">
      <span className="day__name">{name}</span>
    </div>
  );
}

/** Whether somebody scrolls: not the page itself, opening or staying at the end. */
function useScrolledByHand(scroller: RefObject<HTMLElement | null>): boolean {
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let movedAt = Number.NEGATIVE_INFINITY;
    let timer: number | undefined;
    const moved = () => {
      movedAt = performance.now();
    };
    const scrolled = () => {
      if (performance.now() - movedAt > ROLLS_MS) return;
      setScrolls(true);
      window.clearTimeout(timer);
      timer = window.setTimeout(() => setScrolls(false), SHOWN_MS);
    };
    for (const gesture of GESTURES) element.addEventListener(gesture, moved, { passive: true });
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      window.clearTimeout(timer);
      for (const gesture of GESTURES) element.removeEventListener(gesture, moved);
      element.removeEventListener('scroll', scrolled);
    };
  }, [scroller]);
  return scrolls;
}
