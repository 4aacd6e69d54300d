/**
 * Web Push for this browser: asks for permission, subscribes at the browser's push service, and
 * tells the server where the browser is reached. Showing what comes is the service worker's part.
 */

import { asChatError, ChatError } from '../errors.js';
import type { Http } from '../http.js';
import { Store } from '../store.js';
import type { Readable } from '../types.js';
import { fromBase64url, isSameKey } from './keys.js';

/**
 * - `unsupported`: the browser has no Web Push, or not for this page (it needs https)
 * - `off`: nothing is pushed to this browser
 * - `on`: the server was told where this browser is reached
 * - `denied`: the user does not let the page notify; only the browser's settings can change that
 * - `unavailable`: the server pushes nothing
 */
export type PushState = 'unsupported' | 'off' | 'on' | 'denied' | 'unavailable';

export interface PushOptions {
  readonly http: Pick<Http, 'pushKey' | 'putPushSubscription' | 'deletePushSubscription'>;
  /** Registers the page's service worker, again each time that it is called. */
  readonly register: () => Promise<ServiceWorkerRegistration>;
}

/** Longest wait for the service worker, and for the browser's push service. */
const BROWSER_MS = 30_000;

export function pushSupported(): boolean {
  const here = globalThis as { PushManager?: unknown; Notification?: unknown };
  const hasWorker = globalThis.navigator !== undefined && 'serviceWorker' in navigator;
  return hasWorker && here.PushManager !== undefined && here.Notification !== undefined;
}

export class Push implements Readable<PushState> {
  readonly #options: PushOptions;
  #state: PushState = pushSupported() ? 'off' : 'unsupported';
  readonly #store = new Store(() => this.#state);
  /** What is under way, so that the next thing begins after it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PushOptions) {
    this.#options = options;
  }

  get(): PushState {
    return this.#store.get();
  }

  subscribe(listener: () => void): () => void {
    return this.#store.subscribe(listener);
  }

  /**
   * Turns it on, and returns what came of it. Asks for permission where that is open: so call it
   * from a click. Rejects with a `ChatError`: the server's, or `push_failed`, which is the browser's.
   */
  async enable(): Promise<PushState> {
    if (!pushSupported()) return this.#become('unsupported');
    // Before anything is waited for: browsers ask only while the click is fresh.
    const answer =
      Notification.permission === 'default'
        ? await Notification.requestPermission()
        : Notification.permission;
    if (answer === 'granted') return await this.#next(() => this.#enable());
    return this.#become(answer === 'denied' ? 'denied' : 'off');
  }

  /**
   * As `enable`, and never asks: for a page that is loaded again, and for when the browser's
   * subscription changed. Subscribes anew where the server's key is another one.
   */
  async resume(): Promise<PushState> {
    const mayNotify = pushSupported() && Notification.permission === 'granted';
    return mayNotify ? await this.#next(() => this.#enable()) : this.#state;
  }

  /** Turns it off: here for certain, and at the server if it can be reached. Rejects never. */
  async disable(): Promise<void> {
    if (pushSupported()) await this.#next(() => this.#disable()).catch(() => {});
  }

  async #enable(): Promise<PushState> {
    try {
      const key = await this.#options.http.pushKey();
      const subscription = await inTime(subscribed(this.#options.register, key));
      await this.#options.http.putPushSubscription(subscription.toJSON());
      return this.#become('on');
    } catch (error) {
      if (error instanceof ChatError && error.code === 'push_off') {
        return this.#become('unavailable');
      }
      this.#become('off');
      throw asChatError(error);
    }
  }

  async #disable(): Promise<void> {
    this.#become('off');
    const registration = await inTime(navigator.serviceWorker.getRegistration());
    const subscription = await registration?.pushManager.getSubscription();
    if (!subscription) return;
    await subscription.unsubscribe();
    await this.#options.http.deletePushSubscription(subscription.endpoint);
  }

  #next<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#last.then(act);
    this.#last = next.catch(() => {});
    return next;
  }

  #become(state: PushState): PushState {
    this.#state = state;
    this.#store.changed();
    return state;
  }
}

/** Returns the browser's subscription with that key; one with another key is of no use any more. */
async function subscribed(
  register: PushOptions['register'],
  key: string,
): Promise<PushSubscription> {
  await register();
  const { pushManager } = await navigator.serviceWorker.ready;
  const known = await pushManager.getSubscription();
  if (known && isSameKey(known.options.applicationServerKey, key)) return known;
  await known?.unsubscribe();
  return await pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: fromBase64url(key),
  });
}

/** What browsers fail with is theirs, and they may not answer at all. */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failed('The browser does not answer.')), BROWSER_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } catch (error) {
    throw error instanceof ChatError ? error : failed(String(error));
  } finally {
    clearTimeout(timer);
  }
}

function failed(message: string): ChatError {
  return new ChatError('push_failed', message, true);
}
