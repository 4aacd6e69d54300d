/** An entered room without a client: what its history answers and what its link gets is the test's. */

import { ChatError } from '../../src/errors.js';
import type { Http, PageRequest } from '../../src/http.js';
import { Outbox } from '../../src/outbox/outbox.js';
import { EnteredRoom } from '../../src/room/entered-room.js';
import { ReadMemory } from '../../src/room/read-memory.js';
import type { HistoryPage, Message, Room } from '../../src/types.js';
import { FakeLink } from './fake-link.js';
import { FakeRoom } from './fake-log.js';
import { page } from './messages.js';
import { pass } from './time.js';

export const ROOM: Room = { ...new FakeRoom('1', ['alice']).asSeenBy('alice'), readOffset: 2 };

/** A room whose history is answered at once by what `history` and `room` say. */
export function entered(
  first: HistoryPage | ChatError = page(1, 3),
  itself: Room | ChatError = ROOM,
) {
  const answers = { history: (_: PageRequest): HistoryPage | ChatError => first, room: itself };
  const settled = async <T>(answer: T | ChatError): Promise<T> => {
    if (answer instanceof ChatError) throw answer;
    return answer;
  };
  const http = {
    history: (_: string, request: PageRequest) => settled(answers.history(request)),
    room: () => settled(answers.room),
  } as unknown as Http;
  const told = { arrived: [] as Message[], read: [] as unknown[], left: [] as EnteredRoom[] };
  const link = new FakeLink();
  const outbox = new Outbox({
    storage: null,
    random: () => 0.5,
    link: () => (room.takesMessages() ? link.asLink : null),
    changed: () => room.changed(),
  });
  const room: EnteredRoom = new EnteredRoom('1', {
    http,
    outbox,
    random: () => 0.5,
    user: () => 'alice',
    reading: new ReadMemory(),
    arrived: (one) => told.arrived.push(one),
    happened: () => {},
    read: (...read) => told.read.push(read),
    left: (one) => told.left.push(one),
  });
  return { room, link, outbox, told, answers };
}

export async function live(first?: HistoryPage) {
  const all = entered(first);
  await pass();
  all.room.up(all.link.asLink);
  const last = first?.lastOffset ?? 3;
  all.link.accept({ 'x-offset': `${last}`, 'x-epoch': 'e1', 'x-recovered': 'true' });
  await pass();
  return all;
}

export function offsets(room: EnteredRoom): number[] {
  return room.get().messages.map((one) => one.offset);
}
