/** Whose pushes a browser gets: those of who turned them on last, until they sign out. */

import { type ChatClient, ChatError } from '@allibe/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { onWorker, pushesOf } from '../src/notifications/push.js';
import { choose } from '../src/preferences/preferences.js';
import { keepAccount } from '../src/session/account.js';

let registered: string[];
let told: string[];
let subscription: object | null;

function browser() {
  const pushManager = {
    getSubscription: async () => subscription,
    subscribe: async () => {
      subscription = {
        endpoint: 'https://push.test/1',
        options: { applicationServerKey: null },
        toJSON: () => ({ endpoint: 'https://push.test/1' }),
        unsubscribe: async () => {
          subscription = null;
        },
      };
      return subscription;
    },
  };
  const active = { postMessage: ({ type }: { type: string }) => told.push(type) };
  const worker = Object.assign(new EventTarget(), {
    ready: Promise.resolve({ pushManager, active }),
    register: async (address: string) => void registered.push(address),
    getRegistration: async () => ({ pushManager }),
  });
  vi.stubGlobal('navigator', { serviceWorker: worker, languages: ['en'] });
  vi.stubGlobal('PushManager', class {});
  vi.stubGlobal('Notification', { permission: 'granted' });
  return worker;
}

/** A user's client, which says what it is asked. */
function client(user: string, problem?: ChatError): ChatClient {
  const http = {
    pushKey: async () => {
      if (problem) throw problem;
      return 'AQID';
    },
    putPushSubscription: async () => void told.push(`${user} on`),
    deletePushSubscription: async () => void told.push(`${user} off`),
  };
  return { http } as unknown as ChatClient;
}

beforeEach(() => {
  registered = [];
  told = [];
  subscription = null;
  choose({ language: 'en' });
});

afterEach(() => {
  vi.unstubAllGlobals();
  localStorage.clear();
  sessionStorage.clear();
});

describe('pushes', () => {
  it('come to who turned them on, also after a reload', async () => {
    browser();
    const alice = pushesOf(client('alice'), 'alice');
    expect(await alice.enable()).toBe('on');
    expect(alice.isOn()).toBe(true);
    await pushesOf(client('alice'), 'alice').resume();
    await pushesOf(client('bob'), 'bob').resume();
    expect(told).toEqual(['alice on', 'push-told', 'alice on', 'push-told']);
  });

  it('end when that user signs out, and not when another does', async () => {
    browser();
    const alice = pushesOf(client('alice'), 'alice');
    await alice.enable();
    await pushesOf(client('bob'), 'bob').signOut();
    expect(subscription).not.toBeNull();
    await alice.signOut();
    expect(subscription).toBeNull();
    expect(told).toEqual(['alice on', 'push-told', 'alice off']);
    await alice.resume();
    expect(alice.isOn()).toBe(false);
  });

  it('tell the worker which language is chosen, and who is there in a demo', async () => {
    browser();
    const alice = pushesOf(client('alice'), 'alice');
    await alice.enable();
    keepAccount({ kind: 'demo', user: 'alice', name: 'Alice' });
    choose({ language: 'ko' });
    await alice.resume();
    expect(registered).toEqual([
      '/service-worker.js?language=en',
      '/service-worker.js?language=ko&user=alice',
    ]);
  });

  it.each([
    [new ChatError('push_off', '', false), 'unavailable'],
    [new ChatError('store_unavailable', '', true), 'store_unavailable'],
  ])('that cannot be had say why', async (problem, code) => {
    browser();
    const alice = pushesOf(client('alice', problem), 'alice');
    expect(await alice.enable()).toBe(code);
    expect(alice.isOn()).toBe(false);
  });

  it('are one and the same for a client', () => {
    const one = client('alice');
    expect(pushesOf(one, 'alice')).toBe(pushesOf(one, 'alice'));
  });
});

describe('what the worker tells', () => {
  it('is heard until that ends', () => {
    const worker = browser();
    const heard: unknown[] = [];
    const stop = onWorker('open-room', (roomId) => heard.push(roomId));
    const tell = (data: unknown) => worker.dispatchEvent(new MessageEvent('message', { data }));
    tell({ type: 'open-room', roomId: '2' });
    tell({ type: 'push-changed' });
    tell(null);
    stop();
    tell({ type: 'open-room', roomId: '3' });
    expect(heard).toEqual(['2']);
  });

  it('is nothing where there is no worker', () => {
    vi.stubGlobal('navigator', {});
    onWorker('open-room', () => {})();
  });
});
