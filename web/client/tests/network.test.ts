import { afterEach, describe, expect, it, vi } from 'vitest';
import { browserNetwork } from '../src/network.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the network of the browser', () => {
  it('is always there, and always seen, outside of a browser', () => {
    vi.stubGlobal('navigator', undefined);
    expect(browserNetwork.online()).toBe(true);
    expect(browserNetwork.visible()).toBe(true);
    const end = browserNetwork.subscribe(() => {});
    expect(end).not.toThrow();
  });

  it('is what the browser says', () => {
    vi.stubGlobal('navigator', { onLine: false });
    vi.stubGlobal('document', { visibilityState: 'hidden' });
    expect(browserNetwork.online()).toBe(false);
    expect(browserNetwork.visible()).toBe(false);
    vi.stubGlobal('document', { visibilityState: 'visible' });
    expect(browserNetwork.visible()).toBe(true);
  });

  it('tells of all that may change it, until that is ended', () => {
    const window = new EventTarget();
    const document = new EventTarget();
    vi.stubGlobal('window', window);
    vi.stubGlobal('document', document);
    const listener = vi.fn();
    const end = browserNetwork.subscribe(listener);
    const change = () => {
      for (const type of ['online', 'offline', 'pageshow']) window.dispatchEvent(new Event(type));
      document.dispatchEvent(new Event('visibilitychange'));
    };
    change();
    expect(listener).toHaveBeenCalledTimes(4);
    end();
    change();
    expect(listener).toHaveBeenCalledTimes(4);
  });
});
