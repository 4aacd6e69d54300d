import { describe, expect, it } from 'vitest';
import { linked } from '../src/room/links.js';

const hrefs = (text: string) => linked(text).flatMap(({ href }) => href ?? []);

describe('links', () => {
  it('are found in the text, which stays whole', () => {
    const text = 'See https://example.com/a?b=1#c and http://example.org, please.';
    expect(hrefs(text)).toEqual(['https://example.com/a?b=1#c', 'http://example.org/']);
    expect(
      linked(text)
        .map(({ text }) => text)
        .join(''),
    ).toBe(text);
  });

  it('end before the full stop and before a bracket that they did not open', () => {
    expect(hrefs('(https://example.com/a_(b)).')).toEqual(['https://example.com/a_(b)']);
    expect(hrefs('“https://example.com”…')).toEqual(['https://example.com/']);
    expect(hrefs('여기요: https://example.com/문서。')).toEqual([
      'https://example.com/%EB%AC%B8%EC%84%9C',
    ]);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'ftp://example.com',
    'https://',
    'https://.',
    'xhttps://example.com',
    'example.com',
    '',
  ])('are not made of %j', (text) => {
    expect(hrefs(text)).toEqual([]);
    expect(
      linked(text)
        .map(({ text }) => text)
        .join(''),
    ).toBe(text);
  });

  it('stop at what could end an attribute or a tag', () => {
    expect(hrefs('https://example.com/"onclick="x')).toEqual(['https://example.com/']);
    expect(hrefs('https://example.com/<b>')).toEqual(['https://example.com/']);
  });

  it('are found in time in a text that is all brackets', () => {
    const text = `https://example.com/${')'.repeat(8000)}`;
    const start = performance.now();
    expect(hrefs(text)).toEqual(['https://example.com/']);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
