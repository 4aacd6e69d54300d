import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatsFor, isTime, startOfDay } from '../src/i18n/formats.js';
import { DICTIONARIES, errorText, languageOf, wordsIn } from '../src/i18n/language.js';
import { DAY, TEN } from './messages.js';

describe('languageOf', () => {
  it.each([
    [['ko-KR', 'en'], 'ko'],
    [['de', 'ko'], 'ko'],
    [['en-GB', 'ko'], 'en'],
    [['de-DE', 'fr'], 'en'],
    [[], 'en'],
  ])('of %j is %s', (languages, language) => {
    expect(languageOf(languages)).toBe(language);
  });
});

describe('dictionaries', () => {
  it('say something for each error code of the protocol', () => {
    const protocol = readFileSync(`${import.meta.dirname}/../../../docs/protocol.md`, 'utf8');
    const table =
      protocol.split('<!-- generated: error-codes -->')[1]?.split('<!-- end -->')[0] ?? '';
    const codes = [...table.matchAll(/^\| `(\w+)` \| \d/gm)].map(([, code]) => code ?? '');
    expect(codes.length).toBeGreaterThan(15);
    const generic = new Set(['invalid_room_id', 'unknown_destination', 'sender_mismatch']);
    generic.add('too_many_subscriptions');
    for (const { errors } of Object.values(DICTIONARIES)) {
      // What only a fault of the page's own could bring about is called "something".
      expect(codes.filter((code) => !(code in errors) && !generic.has(code))).toEqual([]);
    }
  });

  it('fall back for a code that nobody knows, whatever it is called', () => {
    const { t } = wordsIn('en');
    expect(errorText(t, { code: 'brand_new' })).toBe(t.errors.other);
    expect(errorText(t, { code: 'toString' })).toBe(t.errors.other);
  });
});

describe('formats', () => {
  const now = TEN + 5 * 3600_000;
  const en = formatsFor('en', { today: 'Today', yesterday: 'Yesterday' });
  const ko = formatsFor('ko', { today: '오늘', yesterday: '어제' });

  it('name the last two days, and write the others out', () => {
    expect(en.day(TEN, now)).toBe('Today');
    expect(ko.day(TEN - DAY, now)).toBe('어제');
    expect(ko.day(TEN - 2 * DAY, now)).toBe('11월 22일 일요일');
    expect(ko.day(TEN - 400 * DAY, now)).toContain('2025년');
  });

  it('shorten as far as it stays clear', () => {
    expect(ko.short(TEN, now)).toBe('오전 10:00');
    expect(ko.short(TEN - DAY, now)).toBe('어제');
    expect(ko.short(TEN - 3 * DAY, now)).toBe('토');
    expect(ko.short(TEN - 30 * DAY, now)).toBe('10월 25일');
    expect(ko.short(TEN - 400 * DAY, now)).toBe('2025. 10. 20.');
  });

  it.each([Number.NaN, Date.parse('never'), 9e15, Number.POSITIVE_INFINITY])(
    'write nothing for %d, which is no time',
    (at) => {
      expect(isTime(at)).toBe(false);
      expect(startOfDay(at)).toBeNaN();
      for (const { time, full, day, short } of [en, ko]) {
        expect([time(at), full(at), day(at, now), short(at, now)]).toEqual(['', '', '', '']);
      }
    },
  );

  it('call a moment just ahead, by another clock, by its time', () => {
    expect(ko.short(now + DAY, now)).toBe('오후 3:00');
  });
});
