/** Taking up what was left behind, and leaving it. */

import { describe, expect, it, vi } from 'vitest';
import { type StoredEntry, WebStorageOutbox } from '../../src/outbox/storage.js';
import { UNAVAILABLE } from '../support/fake-link.js';
import { MemoryStorage } from '../support/memory-storage.js';
import { connected, entries, outboxOn } from '../support/outbox.js';
import { virtualTime } from '../support/time.js';

virtualTime();

describe('opening', () => {
  const stored = (clientMessageId: string, createdAt: number, more: Partial<StoredEntry> = {}) => ({
    clientMessageId,
    roomId: '1',
    content: clientMessageId,
    createdAt,
    ...more,
  });

  it('takes up what was left behind, in the order of writing', () => {
    const storage = new MemoryStorage();
    const before = new WebStorageOutbox(storage);
    before.put('alice', stored('later', 2));
    before.put('alice', stored('earlier', 1));
    before.put('alice', stored('bad', 3, { failed: 'rejected', roomId: '2' }));
    before.put('bob', stored('bob’s', 1));
    const { outbox, around } = outboxOn(storage);
    expect(entries(outbox)).toEqual(['earlier pending', 'later pending']);
    expect(outbox.of('2')).toMatchObject([{ state: 'failed', error: { code: 'rejected' } }]);
    expect(around.changes.sort()).toEqual(['1', '2']);
    expect(outbox.isWaiting()).toBe(true);
  });

  it('stores what was written before the user was known, and does it once', () => {
    const { outbox, stored: kept, around } = outboxOn(new MemoryStorage(), null);
    const { clientMessageId } = outbox.add('1', 'early');
    expect(kept.all('alice')).toEqual([]);
    outbox.open('alice');
    expect(kept.all('alice')).toMatchObject([{ clientMessageId }]);
    const changes = around.changes.length;
    outbox.open('alice');
    expect(entries(outbox)).toEqual(['early pending']);
    expect(around.changes).toHaveLength(changes);
  });

  it('for another user hands nothing of the first one on', () => {
    const storage = new MemoryStorage();
    const { outbox, stored: kept } = outboxOn(storage);
    outbox.add('1', 'alice’s');
    outbox.open('bob');
    expect(entries(outbox)).toEqual([]);
    expect(kept.all('bob')).toEqual([]);
    expect(kept.all('alice')).toHaveLength(1);
  });
});

describe('closing', () => {
  it('forgets the entries and all that is planned, but not what is stored', async () => {
    const { outbox, stored, link } = connected();
    outbox.add('1', 'a');
    link.answer(UNAVAILABLE);
    outbox.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(entries(outbox)).toEqual([]);
    expect(stored.all('alice')).toHaveLength(1);
    outbox.open('alice');
    expect(entries(outbox)).toEqual(['a pending']);
  });

  it('takes no answer to what was under way', () => {
    const { outbox, stored, link } = connected();
    outbox.add('1', 'a');
    outbox.close();
    outbox.open('alice');
    link.answer();
    expect(entries(outbox)).toEqual(['a pending']);
    expect(stored.all('alice')).toHaveLength(1);
  });
});
