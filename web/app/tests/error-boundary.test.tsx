import { act } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { choose } from '../src/preferences/preferences.js';
import { named, press } from './render.js';

vi.mock('../src/App.js', () => ({
  App: () => {
    throw new RangeError('Invalid time value');
  },
}));

beforeEach(() => {
  // React tells of the error there.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  window.history.replaceState(null, '', '/#/rooms/1');
  document.body.innerHTML = '<div id="app"></div>';
  vi.resetModules();
});

afterEach(() => {
  vi.restoreAllMocks();
  document.body.innerHTML = '';
});

it.each([
  ['en', 'Something broke on this page', 'Reload'],
  ['ko', '화면에 문제가 생겼어요', '새로고침'],
] as const)(
  'a page that breaks says so in the language of the user (%s)',
  async (language, title, button) => {
    choose({ language });
    await act(async () => void (await import('../src/main.js')));
    expect(document.querySelector('#app [role=alert]')?.textContent).toContain(title);
    expect(document.documentElement.lang).toBe(language);
    const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => {});
    await press(named(button));
    expect(reload).toHaveBeenCalledOnce();
    expect(window.location.hash).toBe('');
  },
);
