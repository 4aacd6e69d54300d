/** An outbox without a client: its link is the test's. */

import { Outbox } from '../../src/outbox/outbox.js';
import { WebStorageOutbox } from '../../src/outbox/storage.js';
import { FakeLink } from './fake-link.js';
import { MemoryStorage } from './memory-storage.js';

export function outboxOn(storage = new MemoryStorage(), user: string | null = 'alice') {
  const stored = new WebStorageOutbox(storage);
  const around = { link: null as FakeLink | null, changes: [] as string[] };
  const outbox = new Outbox({
    storage: stored,
    random: () => 0.5,
    link: () => around.link?.asLink ?? null,
    changed: (roomId) => around.changes.push(roomId),
  });
  if (user !== null) outbox.open(user);
  return { outbox, stored, around };
}

export function connected(storage?: MemoryStorage) {
  const all = outboxOn(storage);
  const link = new FakeLink();
  all.around.link = link;
  return { ...all, link };
}

/** Contents and states of a room's entries. */
export function entries(outbox: Outbox, roomId = '1'): string[] {
  return outbox.of(roomId).map((entry) => `${entry.content} ${entry.state}`);
}

export function contents(link: FakeLink): string[] {
  return link.bodies.map((body) => (body as { content: string }).content);
}
