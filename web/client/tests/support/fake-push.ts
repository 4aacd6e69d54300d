/** What a browser offers for Web Push, as far as it is used; tests say what goes wrong. */

import { vi } from 'vitest';

export class FakeSubscription {
  readonly options: { applicationServerKey: ArrayBuffer };
  readonly endpoint: string;

  constructor(
    readonly browser: FakeBrowser,
    key: Uint8Array<ArrayBuffer>,
  ) {
    browser.subscribed += 1;
    this.endpoint = `https://push.test/${browser.subscribed}`;
    this.options = { applicationServerKey: key.buffer };
  }

  toJSON() {
    return { endpoint: this.endpoint, keys: { p256dh: 'p', auth: 'a' } };
  }

  async unsubscribe() {
    this.browser.subscription = null;
    return true;
  }
}

export class FakeBrowser {
  subscription: FakeSubscription | null = null;
  /** How often it subscribed. */
  subscribed = 0;
  registered = 0;
  permission: NotificationPermission = 'default';
  /** What the user answers. */
  answer: NotificationPermission = 'granted';
  asked = 0;
  /** Thrown by `subscribe`. */
  failure: Error | null = null;
  /** The push service does not answer. */
  hangs = false;
  readonly #registration = {
    pushManager: {
      getSubscription: async () => this.subscription,
      subscribe: async (options: { applicationServerKey: Uint8Array<ArrayBuffer> }) => {
        if (this.hangs) await new Promise(() => {});
        if (this.failure !== null) throw this.failure;
        this.subscription = new FakeSubscription(this, options.applicationServerKey);
        return this.subscription;
      },
    },
  };

  readonly register = async () => {
    this.registered += 1;
    return this.#registration as unknown as ServiceWorkerRegistration;
  };

  /** Puts it in the place of the real one; `vi.unstubAllGlobals` ends that. */
  install(): this {
    const serviceWorker = {
      getRegistration: async () => (this.registered > 0 ? this.#registration : undefined),
      ready: Promise.resolve(this.#registration),
    };
    vi.stubGlobal('navigator', { serviceWorker });
    vi.stubGlobal('PushManager', class {});
    vi.stubGlobal('Notification', this.#notification());
    return this;
  }

  #notification() {
    const browser = this;
    return {
      get permission() {
        return browser.permission;
      },
      requestPermission: async () => {
        browser.asked += 1;
        browser.permission = browser.answer;
        return browser.answer;
      },
    };
  }
}
