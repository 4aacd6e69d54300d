import { describe, expect, it, vi } from 'vitest';
import { ChatError } from '../../src/errors.js';
import { ROOM } from '../support/entered.js';
import { loaded, loading } from '../support/loading.js';
import { page } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

describe('a loader', () => {
  it('loads the newest page first, and tells that the slice is there', async () => {
    const { loader, log, asked, grown, answer } = loading();
    loader.complete();
    loader.complete();
    expect(asked).toEqual([{ limit: 50 }]);
    await answer(page(51, 100));
    expect(log.last).toBe(100);
    expect(grown).toEqual([[]]);
    loader.complete();
    expect(asked).toHaveLength(1);
  });

  it.each(['the page', 'the room'])('has begun when both are there, %s last', async (last) => {
    const { loader, log, told, grown, answer, answerRoom } = loading({ slowRoom: true });
    loader.complete();
    const both = [() => answer(page(1, 3)), () => answerRoom(ROOM)];
    if (last === 'the page') both.reverse();
    await both[0]?.();
    expect([log.epoch, told.begun, grown]).toEqual([null, [], []]);
    await both[1]?.();
    expect([log.epoch, told.begun, grown]).toEqual(['e1', [ROOM], [[]]]);
    // Known by the time that the change is told.
    expect(told.rooms).toBe(1);
  });

  it('asks for the room’s entry only where it begins anew', async () => {
    const { loader, log, told, answer } = await loaded(60, 80);
    expect(told.rooms).toBe(1);
    void loader.older();
    await answer(page(10, 59, 80));
    log.reaches(82, 'e1');
    loader.complete();
    await answer(page(81, 82));
    expect([told.rooms, told.begun]).toEqual([1, [ROOM]]);
    loader.reload();
    await answer(page(33, 82));
    expect([told.rooms, told.begun]).toEqual([2, [ROOM, ROOM]]);
  });

  it('asks again where another log was told of while the page was on its way', async () => {
    const { loader, log, asked, told, grown, answer } = loading();
    loader.complete();
    log.reaches(1, 'e2');
    await answer(page(1, 9));
    expect([log.epoch, asked.length, told.begun, grown]).toEqual([null, 2, [], []]);
    // What was asked for after that is believed, whatever it says: nothing goes in a circle.
    await answer(page(1, 9));
    expect([log.epoch, log.last, asked.length]).toEqual(['e1', 9, 2]);
  });

  it('does not ask again where the same log was told of, or before it asked', async () => {
    const { loader, log, asked, answer } = loading();
    log.reaches(100, 'e0');
    loader.complete();
    await answer(page(1, 9));
    loader.reload();
    log.reaches(9, 'e1');
    await answer(page(1, 9));
    expect([log.last, log.missing, asked.length]).toEqual([9, 0, 2]);
  });

  it('takes nothing for read where the room’s entry is of another log than the page', async () => {
    const { loader, told, answer } = loading();
    loader.complete();
    await answer(page(1, 2, 2, 'e2'));
    expect(told.begun).toEqual([{ ...ROOM, epoch: 'e2', readOffset: 0 }]);
  });

  it.each([
    ['some is left', page(9, 12), 9],
    ['nothing is left', { messages: [], epoch: 'e1', lastOffset: 12 }, 13],
  ])('begins anew where a hole was deleted on the server, and %s', async (_, newest, first) => {
    const { loader, log, asked, failed, answer } = await loaded(1, 3);
    log.reaches(12, 'e1');
    loader.complete();
    await answer(newest);
    expect(asked).toEqual([{ after: 3, limit: 200 }, { limit: 50 }]);
    await answer(newest);
    expect([log.first, log.last, log.missing, failed]).toEqual([first, 12, 0, []]);
  });

  it('goes on after it was stopped, from the newest page', async () => {
    const { loader, log, asked, answer } = await loaded(1, 3);
    loader.stop();
    log.clear();
    loader.start();
    expect(asked).toEqual([{ limit: 50 }]);
    await answer(page(4, 9));
    expect([log.first, log.last]).toEqual([4, 9]);
  });

  it('that goes on takes no failure of before it was stopped for one of now', async () => {
    const { loader, log, asked, failed, answer } = loading();
    loader.complete();
    loader.stop();
    loader.start();
    await answer(new ChatError('not_a_member', 'No.', false));
    await answer(page(1, 3));
    expect([failed, log.last]).toEqual([[], 3]);
    expect(asked).toEqual([{ limit: 50 }, { limit: 50 }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that goes on begins with a page that was asked for after that', async () => {
    const { loader, log, told, grown, answer } = loading();
    loader.complete();
    loader.stop();
    loader.start();
    await answer(page(1, 3));
    await answer(page(1, 4));
    expect([log.last, told.begun, grown]).toEqual([4, [ROOM], [[]]]);
  });

  it('fills a hole page by page, and tells of what came', async () => {
    const { loader, log, asked, grown, answer } = await loaded(1, 3);
    log.reaches(205, 'e1');
    loader.complete();
    await answer(page(4, 203, 205));
    await answer(page(204, 205));
    expect(asked).toEqual([
      { after: 3, limit: 200 },
      { after: 203, limit: 200 },
    ]);
    expect(grown.map((one) => [one[0], one.at(-1)])).toEqual([
      [4, 203],
      [204, 205],
    ]);
  });

  it('fills up to a thousand messages, and begins anew where more are missing', async () => {
    const { loader, log, asked, grown, answer } = await loaded(1, 3);
    log.reaches(1_003, 'e1');
    loader.complete();
    expect(asked).toEqual([{ after: 3, limit: 200 }]);
    await answer(page(4, 4, 1_005));
    expect(asked[1]).toEqual({ limit: 50 });
    await answer(page(956, 1_005));
    expect([log.first, log.last, log.missing]).toEqual([956, 1_005, 0]);
    expect(grown.at(-1)).toHaveLength(50);
  });

  it('sees to what is asked for while it loads', async () => {
    const { loader, log, asked, answer } = loading();
    loader.complete();
    loader.reload();
    log.reaches(12, 'e1');
    await answer(page(1, 10));
    expect(asked).toEqual([{ limit: 50 }, { limit: 50 }]);
    await answer(page(1, 12));
    expect(asked).toHaveLength(2);
    expect(log.missing).toBe(0);
  });

  it('begins anew where a page is of another log', async () => {
    const { loader, log, asked, answer } = await loaded(1, 3);
    log.reaches(5, 'e1');
    loader.complete();
    await answer(page(4, 9, 9, 'e2'));
    expect(asked[1]).toEqual({ limit: 50 });
    await answer(page(1, 9, 9, 'e2'));
    expect([log.epoch, log.last]).toEqual(['e2', 9]);
  });

  it('does nothing once it is stopped, not with what comes then either', async () => {
    const { loader, log, asked, grown, answer } = loading();
    loader.complete();
    loader.stop();
    await answer(page(1, 3));
    loader.reload();
    await pass(60_000);
    expect([asked.length, log.epoch, grown]).toEqual([1, null, []]);
  });
});
