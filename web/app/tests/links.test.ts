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

  const shown = (text: string) =>
    linked(text).map(({ text: piece, href }) => (href === null ? piece : `[${piece}]`));

  it.each([
    ['https://example.com에서 보세요', ['[https://example.com]', '에서 보세요']],
    ['https://example.com:8080에서', ['[https://example.com:8080]', '에서']],
    ['http://localhost은', ['[http://localhost]', '은']],
    ['http://192.168.0.1:80으로', ['[http://192.168.0.1:80]', '으로']],
    ['https://example.com에서/까지', ['[https://example.com]', '에서/까지']],
    ['https://example.com。次は', ['[https://example.com]', '。次は']],
    ['https://한글.com은', ['[https://한글.com]', '은']],
    ['https://www.schön.de/ä', ['[https://www.schön.de/ä]']],
    ['https://예시.한국/길', ['[https://예시.한국/길]']],
  ])('end with the host: %s', (text, pieces) => {
    expect(shown(text)).toEqual(pieces);
  });

  it.each([
    ['https://example.com/a를 봐', ['[https://example.com/a]', '를 봐']],
    ['https://example.com/에서', ['[https://example.com/]', '에서']],
    ['https://example.com/a?b=1입니다.', ['[https://example.com/a?b=1]', '입니다.']],
    ['(https://example.com/a)를', ['(', '[https://example.com/a]', ')를']],
    ['https://example.com/%EB%AC%B8까지도', ['[https://example.com/%EB%AC%B8]', '까지도']],
    ['https://example.com/문서', ['[https://example.com/문서]']],
    ['https://example.com/c언어', ['[https://example.com/c언어]']],
    ['https://example.com/마을', ['[https://example.com/마을]']],
    ['https://example.com/이/것', ['[https://example.com/이/것]']],
  ])('end before a particle behind ASCII, and else hold Hangul: %s', (text, pieces) => {
    expect(shown(text)).toEqual(pieces);
  });

  it('are found behind what was left off from another', () => {
    expect(shown('https://a.com과https://b.com은')).toEqual([
      '[https://a.com]',
      '과',
      '[https://b.com]',
      '은',
    ]);
  });

  it.each(['\u202e', '\u202a', '\u2066', '\u2069'])(
    'hold no control of direction: %j',
    (control) => {
      const [link] = linked(`https://example.com/${control}exe.jpg`);
      expect(link).toEqual({
        text: 'https://example.com/exe.jpg',
        href: 'https://example.com/exe.jpg',
      });
      expect(hrefs(`https://exa${control}mple.com/`)).toEqual(['https://example.com/']);
    },
  );

  it.each([
    `https://a.co${'가https://a.co'.repeat(600)}`,
    `https://${'a.'.repeat(4000)}`,
    `https://example.com/${'를'.repeat(4000)}x`,
    `https://example.com/${'('.repeat(8000)}를`,
  ])('are found in time in %.30s…', (text) => {
    const start = performance.now();
    linked(text);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('are found in time in a text that is all brackets', () => {
    const text = `https://example.com/${')'.repeat(8000)}`;
    const start = performance.now();
    expect(hrefs(text)).toEqual(['https://example.com/']);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
