/** What the service worker does with pushes and clicks, in a scope that only remembers. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { notify } from '../src/notifications/permission.js';
import { serve } from '../worker/serve.js';

type FakeSubscription = ReturnType<typeof subscription>;
type Shown = { title: string; options: NotificationOptions & { renotify?: boolean } };

class FakeWindow {
  visibilityState = 'hidden';
  readonly told: unknown[] = [];
  postMessage = (message: unknown) => void this.told.push(message);
  focus = async () => void this.told.push('focus');
}

class FakeScope {
  readonly location: { href: string };
  readonly navigator = { language: 'en-GB' };
  readonly shown: Shown[] = [];
  readonly opened: string[] = [];
  readonly subscribed: unknown[] = [];
  readonly asked: [string, unknown][] = [];
  readonly cached = new Map<string, Response>();
  answers: number[] = [];
  windows: FakeWindow[] = [];
  /** What the browser has, and what it gives next. */
  now: FakeSubscription | null = null;
  next: FakeSubscription | null = null;
  readonly #listeners = new Map<string, (event: object) => void>();

  constructor(query = '') {
    this.location = { href: `https://chat.test/service-worker.js${query}` };
    serve(this as never);
  }

  addEventListener = (type: string, listener: (event: object) => void) =>
    void this.#listeners.set(type, listener);
  skipWaiting = async () => {};

  readonly clients = {
    claim: async () => {},
    matchAll: async () => this.windows,
    openWindow: async (url: URL) => void this.opened.push(url.href),
  };

  readonly registration = {
    scope: 'https://chat.test/',
    showNotification: async (title: string, options: Shown['options']) => {
      const others = this.shown.filter((one) => one.options.tag !== options.tag);
      this.shown.splice(0, this.shown.length, ...others, { title, options });
    },
    getNotifications: async ({ tag }: { tag: string }) =>
      this.shown.flatMap(({ options }) => (options.tag === tag ? [options] : [])),
    pushManager: {
      getSubscription: async () => this.now,
      subscribe: async (options: unknown) => {
        if (this.next === null) throw new Error('not allowed');
        this.subscribed.push(options);
        this.now = this.next;
        return this.now;
      },
    },
  };

  readonly caches = {
    open: async () => ({
      put: async (place: string, answer: Response) => void this.cached.set(place, answer),
      match: async (place: string) => this.cached.get(place)?.clone(),
      delete: async (place: string) => this.cached.delete(place),
    }),
  };

  fetch = async (place: string, { body }: { body: string }) => {
    this.asked.push([place, JSON.parse(body)]);
    const status = this.answers.shift() ?? 204;
    if (status === 0) throw new TypeError('Failed to fetch');
    return { status };
  };

  async happens(type: string, event: object): Promise<void> {
    let done: Promise<unknown> | undefined;
    const waitUntil = (promise: Promise<unknown>) => {
      done = promise;
    };
    this.#listeners.get(type)?.({ ...event, waitUntil });
    await done;
  }

  push(body: unknown): Promise<void> {
    const text = () => (typeof body === 'string' ? body : JSON.stringify(body));
    return this.happens('push', { data: { text } });
  }
}

const PUSHED = {
  type: 'notification',
  roomId: '2',
  title: 'Project Team',
  body: 'Bob: Lunch?',
  offset: 1,
  messages: 1,
  unreadCount: 1,
};
const MANY = {
  ...PUSHED,
  body: '3 new messages in Project Team',
  offset: 5,
  messages: 3,
  unreadCount: 5,
};

let scope: FakeScope;
beforeEach(() => {
  scope = new FakeScope();
});

describe('a push', () => {
  it('is shown under the name of its room, one for each room', async () => {
    await scope.push(PUSHED);
    await scope.push({ ...PUSHED, roomId: '3' });
    await scope.push(MANY);
    const at = (roomId: string, offset: number) => ({ data: { roomId, offset } });
    expect(scope.shown).toMatchObject([
      { title: 'Project Team', options: { tag: '3', body: 'Bob: Lunch?', ...at('3', 1) } },
      { title: 'Project Team', options: { tag: '2', body: '3 new messages', ...at('2', 5) } },
    ]);
    expect(scope.shown.every(({ options }) => options.renotify && !options.silent)).toBe(true);
  });

  it.each([
    ['?language=ko', MANY, '새 메시지 3개'],
    ['?language=ko', { ...PUSHED, body: '' }, '새 메시지 1개'],
    ['', { ...PUSHED, body: '' }, 'A new message'],
  ])('speaks the language of the page (%s)', async (query, pushed, body) => {
    scope = new FakeScope(query);
    await scope.push(pushed);
    expect(scope.shown[0]?.options.body).toBe(body);
  });

  it('makes no sound while the page is seen', async () => {
    const seen = new FakeWindow();
    seen.visibilityState = 'visible';
    scope.windows = [new FakeWindow(), seen];
    await scope.push(PUSHED);
    expect(scope.shown[0]?.options).toMatchObject({ silent: true, renotify: false });
  });

  it('makes no sound where the page has told of it already', async () => {
    vi.stubGlobal('Notification', { permission: 'granted' });
    const told = { title: 'Project Team', body: '', tag: '2', offset: 1, onClick: () => {} };
    await notify(told, scope.registration as never);
    vi.unstubAllGlobals();
    await scope.push(PUSHED);
    expect(scope.shown[0]?.options.silent).toBe(true);
    await scope.push({ ...PUSHED, offset: 2, unreadCount: 2 });
    expect(scope.shown[0]?.options.silent).toBe(false);
  });

  it('rings for what is new though as much is unread: the other was read elsewhere', async () => {
    await scope.push(PUSHED);
    await scope.push({ ...PUSHED, offset: 2 });
    expect(scope.shown[0]?.options).toMatchObject({ silent: false, renotify: true });
  });

  it('rings where it is not known what was told', async () => {
    const { offset, ...old } = PUSHED;
    await scope.push(old);
    await scope.push(old);
    expect(scope.shown[0]?.options.silent).toBe(false);
  });

  it.each(['', 'no JSON', '1', '{"type":"tomorrow"}', { ...PUSHED, roomId: '../../evil' }])(
    'that is none of ours (%j) is shown as little as a browser allows',
    async (body) => {
      await scope.push(body);
      expect(scope.shown).toEqual([{ title: 'Allibe', options: { tag: 'allibe', silent: true } }]);
    },
  );
});

describe('a click', () => {
  const click = (data: unknown) => {
    const close = vi.fn();
    const notification = { data, close };
    return scope.happens('notificationclick', { notification }).then(() => close);
  };

  it('opens the room in the page that is there, the one that is seen first', async () => {
    const [other, seen] = [new FakeWindow(), new FakeWindow()];
    seen.visibilityState = 'visible';
    scope.windows = [other, seen];
    expect(await click({ roomId: '2' })).toHaveBeenCalled();
    expect(seen.told).toEqual([{ type: 'open-room', roomId: '2' }, 'focus']);
    expect([other.told, scope.opened]).toEqual([[], []]);
  });

  it('opens a window where there is none, in a demo as the same user', async () => {
    scope = new FakeScope('?language=en&user=alice');
    await click({ roomId: '2' });
    expect(scope.opened).toEqual(['https://chat.test/?user=alice#/rooms/2']);
  });

  it('elsewhere opens the room, and what has none the page', async () => {
    await click({ roomId: '2' });
    await click(null);
    expect(scope.opened).toEqual(['https://chat.test/#/rooms/2', 'https://chat.test/']);
  });
});

describe('a subscription that changed', () => {
  const key = new Uint8Array([1, 2, 3]).buffer;
  const old = subscription('old', key);
  const renewed = subscription('new', key);
  const proof = { endpoint: 'https://push.test/old', auth: 'secret of old' };
  const order = { old: proof, new: renewed.toJSON() };
  let page: FakeWindow;

  /** A browser whose page has told the server of the subscription. */
  const told = async () => {
    scope.now = old;
    await scope.happens('message', { data: { type: 'push-told' } });
    scope.now = null;
  };

  beforeEach(() => {
    page = new FakeWindow();
    scope.windows = [page];
    scope.next = renewed;
  });
  afterEach(() => vi.useRealTimers());

  it('is renewed with the same key, told to the server and to pages that are open', async () => {
    await told();
    await scope.happens('pushsubscriptionchange', { oldSubscription: old });
    expect(scope.subscribed).toEqual([{ userVisibleOnly: true, applicationServerKey: key }]);
    expect(scope.asked).toEqual([['/api/chat/push-subscriptions/renewals', order]]);
    expect(page.told).toEqual([{ type: 'push-changed' }]);
  });

  it('without a word about the old one is renewed from what the worker has kept', async () => {
    await told();
    await scope.happens('pushsubscriptionchange', {});
    const applicationServerKey = new Uint8Array([1, 2, 3]);
    expect(scope.subscribed).toEqual([{ userVisibleOnly: true, applicationServerKey }]);
    expect(scope.asked).toMatchObject([[expect.anything(), order]]);
  });

  it('by the browser itself is not renewed again, but told', async () => {
    await told();
    await scope.happens('pushsubscriptionchange', { newSubscription: renewed });
    expect(scope.subscribed).toEqual([]);
    expect(scope.asked).toMatchObject([[expect.anything(), order]]);
  });

  it('twice is told with the secret of the one before', async () => {
    await told();
    await scope.happens('pushsubscriptionchange', {});
    scope.next = subscription('third', key);
    await scope.happens('pushsubscriptionchange', {});
    expect(scope.asked.map(([, body]) => (body as typeof order).old.auth)).toEqual([
      'secret of old',
      'secret of new',
    ]);
  });

  it('is told with what the browser says where the worker has kept nothing', async () => {
    await scope.happens('pushsubscriptionchange', { oldSubscription: old });
    expect(scope.asked).toMatchObject([[expect.anything(), order]]);
  });

  it.each([
    ['nothing is known of it', async () => {}],
    [
      'it was turned off since',
      async () => {
        await told();
        await scope.happens('message', { data: { type: 'push-told' } });
      },
    ],
  ])('is told to pages alone where %s', async (_, before) => {
    await before();
    await scope.happens('pushsubscriptionchange', { newSubscription: renewed });
    expect([scope.asked, page.told]).toEqual([[], [{ type: 'push-changed' }]]);
  });

  it.each([
    [[0, 503, 429, 204], 4],
    [[404], 1],
    [[500, 500, 500, 500], 4],
  ])('is tried again where the server is away (%j)', async (answers, asked) => {
    vi.useFakeTimers();
    await told();
    scope.answers = [...answers];
    const done = scope.happens('pushsubscriptionchange', {});
    await vi.runAllTimersAsync();
    await done;
    expect(scope.asked).toHaveLength(asked);
    expect(page.told).toEqual([{ type: 'push-changed' }]);
  });

  it('that the browser refuses is told to pages, which ask the user', async () => {
    await told();
    scope.next = null;
    await scope.happens('pushsubscriptionchange', {});
    expect([scope.asked, page.told]).toEqual([[], [{ type: 'push-changed' }]]);
  });
});

function subscription(name: string, applicationServerKey: ArrayBuffer) {
  const endpoint = `https://push.test/${name}`;
  const keys = { p256dh: 'point', auth: `secret of ${name}` };
  return { endpoint, options: { applicationServerKey }, toJSON: () => ({ endpoint, keys }) };
}
