/** Loads that fail, and when they are tried again. */

import { describe, expect, it, vi } from 'vitest';
import { ChatError } from '../../src/errors.js';
import type { HistoryPage } from '../../src/types.js';
import { ROOM } from '../support/entered.js';
import { UNAVAILABLE } from '../support/fake-link.js';
import { loaded, loading } from '../support/loading.js';
import { message, page } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

describe('a load that fails', () => {
  it('is tried again, later each time', async () => {
    const { loader, asked, failed, answer } = loading();
    loader.complete();
    const times: number[] = [];
    for (let time = 0; time < 4; time += 1) {
      await answer(UNAVAILABLE);
      const before = Date.now();
      await vi.advanceTimersToNextTimerAsync();
      times.push(Date.now() - before);
    }
    // A second at least, and half of 1, 2, 4, 8.
    expect(times).toEqual([1_500, 2_000, 3_000, 5_000]);
    expect(failed).toHaveLength(4);
    await answer(page(1, 3));
    expect(asked).toHaveLength(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is tried again soon where the one before it succeeded', async () => {
    const { loader, asked, answer } = loading();
    loader.complete();
    for (const ms of [1_500, 2_000]) {
      await answer(UNAVAILABLE);
      await pass(ms);
    }
    await answer(page(1, 3));
    loader.reload();
    await answer(UNAVAILABLE);
    await pass(1_499);
    expect(asked).toHaveLength(4);
    await pass(1);
    expect(asked).toHaveLength(5);
  });

  it('waits as long as the server says', async () => {
    const { loader, asked, answer } = loading();
    loader.complete();
    await answer(new ChatError('overloaded', 'Later.', true, 20_000));
    await pass(20_000);
    expect(asked).toHaveLength(1);
    await pass(500);
    expect(asked).toHaveLength(2);
  });

  it('is not tried again where that is useless', async () => {
    const { loader, asked, failed, answer } = loading();
    loader.complete();
    await answer(new ChatError('not_a_member', 'No.', false));
    await pass(600_000);
    expect([asked.length, failed]).toEqual([1, ['not_a_member']]);
  });

  it('is tried at once when somebody asks, but not because messages come', async () => {
    const { loader, log, asked, answer } = await loaded(1, 3);
    log.add(message(5));
    loader.follow();
    await answer(UNAVAILABLE);
    for (let offset = 6; offset < 20; offset += 1) {
      log.add(message(offset));
      loader.follow();
    }
    expect(asked).toHaveLength(1);
    loader.complete();
    expect(asked).toHaveLength(2);
    await answer(page(4, 19));
    loader.follow();
    expect(log.missing).toBe(0);
    log.add(message(21));
    loader.follow();
    expect(asked).toHaveLength(3);
  });

  it('begins anew again when it was to begin anew', async () => {
    const { loader, asked, answer } = await loaded(1, 3);
    loader.reload();
    await answer(UNAVAILABLE);
    await pass(2_000);
    expect(asked).toEqual([{ limit: 50 }, { limit: 50 }]);
  });

  it('may be one that ends before the room does: it is asked again, not at once', async () => {
    const { loader, log, asked, failed, answer } = await loaded(1, 3);
    log.reaches(5, 'e1');
    loader.complete();
    await answer(page(4, 3, 3));
    expect([asked.length, failed]).toEqual([1, ['store_unavailable']]);
    await pass(1_500);
    await answer(page(4, 5));
    expect(log.missing).toBe(0);
  });

  it('may be a newest page that is far from the end: not at once either', async () => {
    const { loader, log, asked, failed, answer } = await loaded(1, 3);
    log.reaches(5_000, 'e1');
    loader.complete();
    await answer(page(1, 3));
    expect([asked.length, failed]).toEqual([1, ['store_unavailable']]);
    await pass(1_500);
    await answer(page(4_951, 5_000));
    expect(log.missing).toBe(0);
  });

  it('may be that of the room’s entry: both are asked for again', async () => {
    const { loader, log, told, asked, failed, answer, answerRoom } = loading({ slowRoom: true });
    loader.complete();
    await answer(page(1, 3));
    await answerRoom(UNAVAILABLE);
    expect([log.epoch, failed, told.begun]).toEqual([null, ['store_unavailable'], []]);
    await pass(1_500);
    expect([told.rooms, asked.length]).toEqual([2, 2]);
    await answerRoom(ROOM);
    await answer(page(1, 4));
    expect([log.last, told.begun]).toEqual([4, [ROOM]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is over with the first failure; what comes of the other is dropped', async () => {
    const { loader, log, failed, answer, answerRoom } = loading({ slowRoom: true });
    loader.complete();
    await answer(UNAVAILABLE);
    await answerRoom(ROOM);
    expect([log.epoch, failed]).toEqual([null, ['store_unavailable']]);
  });

  it('by a fault of ours says so, and is tried again', async () => {
    const { loader, log, failed, answer } = loading();
    loader.complete();
    await answer({ messages: null, epoch: 'e1', lastOffset: 1 } as unknown as HistoryPage);
    expect([log.last, failed]).toEqual([0, ['internal']]);
    await pass(1_500);
    await answer(page(1, 3));
    expect([log.last, failed.length]).toEqual([3, 1]);
  });

  it('and is stopped because of it waits for nothing', async () => {
    const { loader, answer, told } = loading();
    told.whenFailed = () => loader.stop();
    loader.complete();
    await answer(UNAVAILABLE);
    expect(vi.getTimerCount()).toBe(0);
  });
});
