import { afterEach, describe, expect, it, vi } from 'vitest';
import { browserStorage, type StoredEntry, WebStorageOutbox } from '../../src/outbox/storage.js';
import { MemoryStorage } from '../support/memory-storage.js';

function entry(clientMessageId: string, more: Partial<StoredEntry> = {}): StoredEntry {
  return { clientMessageId, roomId: '1', content: 'hello', createdAt: 1, ...more };
}

describe('entries in a Storage', () => {
  it('are kept by user and message, and put again in their place', () => {
    const outbox = new WebStorageOutbox(new MemoryStorage());
    outbox.put('alice', entry('a'));
    outbox.put('alice', entry('b'));
    outbox.put('bob', entry('c'));
    outbox.put('alice', entry('a', { failed: 'rejected' }));
    expect(outbox.all('alice')).toEqual([entry('a', { failed: 'rejected' }), entry('b')]);
    expect(outbox.all('bob')).toEqual([entry('c')]);
    expect(outbox.all('carol')).toEqual([]);
  });

  it('are gone when removed, and only they', () => {
    const outbox = new WebStorageOutbox(new MemoryStorage());
    outbox.put('alice', entry('a'));
    outbox.put('alice', entry('b'));
    outbox.remove('alice', 'a');
    outbox.remove('alice', 'unknown');
    outbox.remove('bob', 'b');
    expect(outbox.all('alice')).toEqual([entry('b')]);
  });

  it.each([
    ['alice', 'alice.b'],
    ['a', 'a%20b'],
    ['a.b', 'a'],
    ['a/b', 'a'],
  ])('of %s are not those of %s', (one, other) => {
    const outbox = new WebStorageOutbox(new MemoryStorage());
    outbox.put(one, entry('a'));
    outbox.put(other, entry('b'));
    expect(outbox.all(one)).toEqual([entry('a')]);
    expect(outbox.all(other)).toEqual([entry('b')]);
  });

  it('live beside what others keep there, and what is broken', () => {
    const storage = new MemoryStorage();
    const outbox = new WebStorageOutbox(storage);
    outbox.put('alice', entry('a'));
    const key = storage.key(0) ?? '';
    storage.setItem('theme', 'dark');
    for (const [index, text] of ['{', '', 'null', '[]', '{"roomId":"1"}'].entries()) {
      storage.setItem(`${key}${index}`, text);
    }
    expect(outbox.all('alice')).toEqual([entry('a')]);
    // What is broken is swept out, what is others' is left alone.
    expect(storage).toHaveLength(2);
    expect(storage.getItem('theme')).toBe('dark');
    expect(outbox.all('alice')).toEqual([entry('a')]);
  });

  it.each([
    ['a room that is no text', { roomId: 1 }],
    ['content that is no text', { content: null }],
    ['a time that is no number', { createdAt: '1' }],
    ['a time that no Date can hold', { createdAt: 8.64e15 + 1 }],
    ['a time before all Dates', { createdAt: -8.64e15 - 1 }],
    ['a time without end', { createdAt: Number.POSITIVE_INFINITY }],
    ['a refusal that is no text', { failed: {} }],
    ['an id that is another’s', { clientMessageId: 'another' }],
    ['no id', { clientMessageId: undefined }],
  ])('with %s are dropped, once and for all', (_, damage) => {
    const storage = new MemoryStorage();
    const outbox = new WebStorageOutbox(storage);
    outbox.put('alice', entry('whole'));
    outbox.put('alice', entry('damaged'));
    outbox.put('bob', entry('damaged'));
    const key = storage.key(1) ?? '';
    const text = JSON.stringify({ ...entry('damaged'), ...damage });
    storage.setItem(key, text.replace('"createdAt":null', '"createdAt":1e999'));
    expect(outbox.all('alice')).toEqual([entry('whole')]);
    expect(storage.getItem(key)).toBeNull();
    expect(outbox.all('bob')).toEqual([entry('damaged')]);
  });

  it('with the first and the last time of all are kept', () => {
    const outbox = new WebStorageOutbox(new MemoryStorage());
    const entries = [entry('a', { createdAt: -8.64e15 }), entry('b', { createdAt: 8.64e15 })];
    for (const one of entries) outbox.put('alice', one);
    expect(outbox.all('alice')).toEqual(entries);
    for (const { createdAt } of entries) expect(new Date(createdAt).toISOString()).toBeTruthy();
  });

  it('that find no room are not kept, and nothing is thrown', () => {
    const storage = new MemoryStorage();
    const outbox = new WebStorageOutbox(storage);
    storage.full = true;
    outbox.put('alice', entry('a'));
    expect(outbox.all('alice')).toEqual([]);
  });

  it('that the page may not reach any more hurt nobody', () => {
    const outbox = new WebStorageOutbox(
      new Proxy(new MemoryStorage(), {
        get: () => {
          throw new DOMException('Not allowed.', 'SecurityError');
        },
      }),
    );
    outbox.put('alice', entry('a'));
    outbox.remove('alice', 'a');
    expect(outbox.all('alice')).toEqual([]);
  });
});

describe('the storage of the browser', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('is localStorage where there is one', () => {
    const storage = new MemoryStorage();
    vi.stubGlobal('localStorage', storage);
    browserStorage()?.put('alice', entry('a'));
    expect(storage).toHaveLength(1);
  });

  it('is none where there is none, or the page may not use it', () => {
    vi.stubGlobal('localStorage', undefined);
    expect(browserStorage()).toBeNull();
    vi.unstubAllGlobals();
    const refused = () => {
      throw new DOMException('Not allowed.', 'SecurityError');
    };
    Object.defineProperty(globalThis, 'localStorage', { configurable: true, get: refused });
    expect(browserStorage()).toBeNull();
    Reflect.deleteProperty(globalThis, 'localStorage');
  });
});
