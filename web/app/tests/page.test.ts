/** What stands in the page before its script runs. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { WIDE } from '../src/ui/media.js';

const read = (path: string) => readFileSync(`${import.meta.dirname}/../${path}`, 'utf8');
const page = new DOMParser().parseFromString(read('index.html'), 'text/html');

it('says where it is rendered that it loads, and which browsers can do so', () => {
  const [, targets = ''] = /target: \[(.*)\]/.exec(read('vite.config.ts')) ?? [];
  const browsers = [...targets.matchAll(/([a-z]+)([\d.]+)/g)];
  expect(browsers.length).toBeGreaterThan(3);
  const text = page.querySelector('#app')?.textContent?.toLowerCase() ?? '';
  expect(text).toContain('loading…');
  // Once in each language.
  for (const [, name, version] of browsers) {
    expect(text.split(`${name} ${version}`), name).toHaveLength(3);
  }
});

it('says that it needs scripts, and has none of its own: the policy forbids them', () => {
  // Inside: #app is as high as the window, and nothing below it is ever seen.
  expect(page.querySelector('#app noscript')?.textContent).toContain('JavaScript');
  expect(page.querySelectorAll('script:not([src]), style, [style], [onerror]')).toHaveLength(0);
});

it('is as wide for the script as for the styles', () => {
  const [, width] = /width >= (\d+px)/.exec(WIDE) ?? [];
  expect(read('src/shell/Chat.css')).toContain(`@media (width < ${width})`);
});
