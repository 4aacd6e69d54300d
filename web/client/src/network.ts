/**
 * What the browser knows: is there a network, is the page visible, and when that changed.
 *
 * `online` is a hint. Browsers call a machine offline that reaches the server very well (a
 * server on the same machine, a virtual network), so it never forbids an attempt.
 */

export interface Network {
  online(): boolean;
  visible(): boolean;
  /** Calls the listener when either may have changed. Returns what ends that. */
  subscribe(listener: () => void): () => void;
}

/** The browser's own; outside of a browser always online and visible. */
export const browserNetwork: Network = {
  online: () => globalThis.navigator?.onLine ?? true,
  visible: () => globalThis.document?.visibilityState !== 'hidden',
  subscribe(listener) {
    const { window, document } = globalThis;
    if (!window?.addEventListener) return () => {};
    window.addEventListener('online', listener);
    window.addEventListener('offline', listener);
    window.addEventListener('pageshow', listener);
    document.addEventListener('visibilitychange', listener);
    return () => {
      window.removeEventListener('online', listener);
      window.removeEventListener('offline', listener);
      window.removeEventListener('pageshow', listener);
      document.removeEventListener('visibilitychange', listener);
    };
  },
};
