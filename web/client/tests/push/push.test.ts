import { afterEach, describe, expect, it, vi } from 'vitest';
import { Push, pushSupported } from '../../src/push/push.js';
import { FakeBrowser } from '../support/fake-push.js';
import { answerTo, httpTo } from '../support/http.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

afterEach(() => void vi.unstubAllGlobals());

function pushed() {
  const browser = new FakeBrowser().install();
  const { server, http } = httpTo();
  const push = new Push({ http, register: browser.register });
  const asked = () =>
    server.api.requests.map(({ method, path, body }) => [method, path, body].filter(Boolean));
  return { browser, api: server.api, push, asked };
}

const KEY = ['GET', '/push-key'];
const keys = { p256dh: 'p', auth: 'a' };
const put = (endpoint: string) => ['PUT', '/push-subscriptions', { endpoint, keys }];

describe('push', () => {
  it('is turned on by asking the user, the browser and the server, in this order', async () => {
    const { browser, push, asked } = pushed();
    const states: string[] = [];
    push.subscribe(() => states.push(push.get()));
    expect([pushSupported(), push.get(), browser.asked]).toEqual([true, 'off', 0]);
    expect(await answerTo(push.enable())).toBe('on');
    expect([browser.asked, states]).toEqual([1, ['on']]);
    expect(asked()).toEqual([KEY, put('https://push.test/1')]);
    expect([...new Uint8Array(browser.subscription?.options.applicationServerKey ?? [])]).toEqual([
      1, 2, 3,
    ]);
  });

  it.each([
    ['denied', 'denied'],
    ['default', 'off'],
  ] as const)('is not, when the user answers %s', async (answer, state) => {
    const { browser, push, asked } = pushed();
    browser.answer = answer;
    expect(await answerTo(push.enable())).toBe(state);
    expect([browser.registered, asked()]).toEqual([0, []]);
  });

  it('asks nobody when the page is loaded again, and tells the server again', async () => {
    const { browser, push, asked } = pushed();
    expect(await push.resume()).toBe('off');
    browser.permission = 'granted';
    await answerTo(push.resume());
    await answerTo(push.resume());
    expect([browser.asked, browser.subscribed]).toEqual([0, 1]);
    expect(asked()).toEqual([KEY, put('https://push.test/1'), KEY, put('https://push.test/1')]);
  });

  it('subscribes anew when the server has another key', async () => {
    const { browser, api, push, asked } = pushed();
    await answerTo(push.enable());
    api.pushKey = 'AQIE_-8';
    await answerTo(push.resume());
    expect(browser.subscribed).toBe(2);
    expect(asked().at(-1)).toEqual(put('https://push.test/2'));
  });

  it('is unavailable where the server pushes nothing', async () => {
    const { browser, api, push } = pushed();
    api.pushKey = null;
    expect(await answerTo(push.enable())).toBe('unavailable');
    expect(browser.registered).toBe(0);
  });

  it('is turned off here and there', async () => {
    const { browser, push, asked } = pushed();
    await answerTo(push.enable());
    await answerTo(push.disable());
    expect([push.get(), browser.subscription]).toEqual(['off', null]);
    const old = { endpoint: 'https://push.test/1' };
    expect(asked().at(-1)).toEqual(['DELETE', '/push-subscriptions', old]);
  });

  it('is turned off here also where the server cannot be reached', async () => {
    const { browser, api, push } = pushed();
    await answerTo(push.enable());
    api.trouble(/push/, 'network');
    await answerTo(push.disable());
    expect(browser.subscription).toBeNull();
  });

  it('that is turned off while it is turned on is off in the end', async () => {
    const { browser, push, asked } = pushed();
    const on = push.enable();
    await pass(1);
    await answerTo(push.disable());
    await on;
    expect([push.get(), browser.subscription]).toEqual(['off', null]);
    expect(asked().map(([method]) => method)).toEqual(['GET', 'PUT', 'DELETE']);
  });

  it('says what fails, and can be tried again', async () => {
    const { browser, api, push } = pushed();
    browser.failure = new Error('no push service');
    await expect(answerTo(push.enable())).rejects.toMatchObject({ code: 'push_failed' });
    browser.failure = null;
    api.trouble(/push-subscriptions/, { status: 503, body: { code: 'store_unavailable' } }, 1);
    await expect(answerTo(push.enable())).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(push.get()).toBe('off');
    expect(await answerTo(push.enable())).toBe('on');
  });

  it('does not wait for ever for the browser', async () => {
    const { browser, push } = pushed();
    browser.hangs = true;
    const failed = expect(push.enable()).rejects.toMatchObject({ code: 'push_failed' });
    await pass(31_000);
    await failed;
  });

  it('is unsupported outside of a browser', async () => {
    const { http } = httpTo();
    const push = new Push({ http, register: () => Promise.reject(new Error('never')) });
    expect(push.get()).toBe('unsupported');
    expect(await push.enable()).toBe('unsupported');
    expect(await push.resume()).toBe('unsupported');
    await push.disable();
  });
});
