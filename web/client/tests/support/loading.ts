/** A loader whose HTTP is answered by the test, request by request. */

import type { ChatError } from '../../src/errors.js';
import type { Http, PageRequest } from '../../src/http.js';
import { HistoryLoader } from '../../src/room/loader.js';
import { RoomLog } from '../../src/room/log.js';
import type { HistoryPage, Message, Room } from '../../src/types.js';
import { ROOM } from './entered.js';
import { page } from './messages.js';
import { pass } from './time.js';

interface Answer<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: ChatError) => void;
}

/** The room's entry is answered at once, unless `slowRoom` leaves that to the test too. */
export function loading({ slowRoom = false } = {}) {
  const asked: PageRequest[] = [];
  const answers: Answer<HistoryPage>[] = [];
  const roomAnswers: Answer<Room>[] = [];
  const http = {
    history: (_: string, request: PageRequest) => {
      asked.push(request);
      return new Promise<HistoryPage>((resolve, reject) => answers.push({ resolve, reject }));
    },
    room: () => {
      told.rooms += 1;
      if (!slowRoom) return Promise.resolve(ROOM);
      return new Promise<Room>((resolve, reject) => roomAnswers.push({ resolve, reject }));
    },
  } as unknown as Http;
  const log = new RoomLog('1');
  /** `rooms`: how often the room's entry was asked for. */
  const told = { rooms: 0, begun: [] as Room[], whenFailed: () => {} };
  const grown: number[][] = [];
  const failed: string[] = [];
  const loader = new HistoryLoader({
    roomId: '1',
    log,
    http,
    random: () => 0.5,
    begun: (room) => told.begun.push(room),
    changed: (more: readonly Message[]) => grown.push(more.map((one) => one.offset)),
    failed: (error) => {
      failed.push(error.code);
      told.whenFailed();
    },
  });
  /** Answers the earliest request for a page. */
  const answer = async (with_: HistoryPage | ChatError) => {
    const next = answers.shift();
    if ('messages' in with_) next?.resolve(with_);
    else next?.reject(with_);
    await pass();
  };
  /** Answers the earliest request for the room's entry. */
  const answerRoom = async (with_: Room | ChatError) => {
    const next = roomAnswers.shift();
    if ('roomId' in with_) next?.resolve(with_);
    else next?.reject(with_);
    await pass();
  };
  return { loader, log, told, asked, grown, failed, answer, answerRoom };
}

/** A loader that has loaded a slice, and forgotten how. */
export async function loaded(from: number, to: number) {
  const all = loading();
  all.loader.complete();
  await all.answer(page(from, to));
  all.asked.length = 0;
  all.grown.length = 0;
  return all;
}
