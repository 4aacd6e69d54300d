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
