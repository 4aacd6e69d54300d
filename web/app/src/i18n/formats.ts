/**
 * Times and numbers as the language writes them, in the browser's time zone.
 *
 * A time that is none (what the server sent cannot be read) is written as nothing: `Intl` throws
 * for it, and one bad message would take the whole page away.
 */

import type { Language } from '../preferences/preferences.js';
import type { Dictionary } from './dictionary.js';

const DAY_MS = 24 * 3600 * 1000;

export interface Formats {
  /** 3:24 PM */
  time(at: number): string;
  /** Today, Yesterday, or the date in full. */
  day(at: number, now: number): string;
  /** As short as tells it apart: the time, Yesterday, a weekday, a date. */
  short(at: number, now: number): string;
  /** Everything, for a tooltip. */
  full(at: number): string;
  /** 1,234 */
  count(value: number): string;
}

export function formatsFor(language: Language, days: Dictionary['days']): Formats {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const made = new Intl.DateTimeFormat(language === 'en' ? englishOf(navigator) : 'ko', options);
    return (at: number) => {
      if (!isTime(at)) return '';
      return language === 'en' ? made.format(at) : made.formatToParts(at).map(koreanPart).join('');
    };
  };
  const time = format({ timeStyle: 'short' });
  const weekday = format({ weekday: 'short' });
  const dayOfYear = format({ month: 'short', day: 'numeric' });
  const date = format({ year: 'numeric', month: 'numeric', day: 'numeric' });
  const longDay = format({ weekday: 'long', month: 'long', day: 'numeric' });
  const longDate = format({ dateStyle: 'full' });
  const full = format({ dateStyle: 'full', timeStyle: 'short' });
  const number = new Intl.NumberFormat(language);

  const named = (at: number, now: number) => {
    const ago = daysAgo(at, now);
    return ago === 0 ? days.today : ago === 1 ? days.yesterday : null;
  };
  const sameYear = (at: number, now: number) =>
    new Date(at).getFullYear() === new Date(now).getFullYear();

  return {
    time,
    day: (at, now) => named(at, now) ?? (sameYear(at, now) ? longDay(at) : longDate(at)),
    short(at, now) {
      const ago = daysAgo(at, now);
      if (ago <= 0) return time(at);
      if (ago === 1) return days.yesterday;
      if (ago < 7) return weekday(at);
      return sameYear(at, now) ? dayOfYear(at) : date(at);
    },
    full,
    count: (value) => number.format(value),
  };
}

/** Whether it is a moment at all: `Date.parse` gives NaN for what is none. */
export function isTime(at: number): boolean {
  return !Number.isNaN(new Date(at).getTime());
}

/** Midnight at which the day of this moment began; NaN where it is none. */
export function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function daysAgo(at: number, now: number): number {
  // Rounded: a day may have 23 or 25 hours.
  return Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
}

/** Newer browsers have "AM" in Korean too: right by the letter, and nobody writes it. */
function koreanPart({ type, value }: Intl.DateTimeFormatPart): string {
  if (type !== 'dayPeriod') return value;
  return value === 'AM' ? '오전' : value === 'PM' ? '오후' : value;
}

/** The reader's own English (24-hour clock, order of the date), where the browser says one. */
function englishOf({ languages }: Navigator): string {
  return languages.find((language) => /^en\b/i.test(language)) ?? 'en';
}
