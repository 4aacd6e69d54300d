import { describe, expect, it, vi } from 'vitest';
import { type ChatError, ChatError as Refusal } from '../../src/errors.js';
import type { Http, PageRequest } from '../../src/http.js';
import { HistoryLoader } from '../../src/room/loader.js';
import { RoomLog } from '../../src/room/log.js';
import type { HistoryPage, Message } from '../../src/types.js';
import { message, page } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

/** A loader whose history is answered by the test, request by request. */
function loading() {
  const asked: (Omit<PageRequest, 'limit'> & { limit: number })[] = [];
  const answers: { resolve: (page: HistoryPage) => void; reject: (error: ChatError) => void }[] =
    [];
  const http = {
    history: (_: string, request: PageRequest) => {
      asked.push(request);
      return new Promise<HistoryPage>((resolve, reject) => answers.push({ resolve, reject }));
    },
  } as unknown as Http;
  const log = new RoomLog('1');
  const grown: number[][] = [];
  const failed: string[] = [];
  const loader = new HistoryLoader({
    roomId: '1',
    log,
    http,
    random: () => 0.5,
    changed: (more: readonly Message[]) => grown.push(more.map((one) => one.offset)),
    failed: (error) => failed.push(error.code),
  });
  const answer = async (with_: HistoryPage | ChatError) => {
    const next = answers.shift();
    if ('messages' in with_) next?.resolve(with_);
    else next?.reject(with_);
    await pass();
  };
  return { loader, log, asked, grown, failed, answer, answers };
}

async function loaded(from: number, to: number) {
  const all = loading();
  all.loader.complete();
  await all.answer(page(from, to));
  all.asked.length = 0;
  all.grown.length = 0;
  return all;
}

const UNAVAILABLE = new Refusal('store_unavailable', 'Not now.', true);

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

  it('fills a hole page by page, and tells of what came', async () => {
    const { loader, log, asked, grown, answer } = await loaded(1, 3);
    log.reaches(205);
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
    log.reaches(1_003);
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
    log.reaches(12);
    await answer(page(1, 10));
    expect(asked).toEqual([{ limit: 50 }, { limit: 50 }]);
    await answer(page(1, 12));
    expect(asked).toHaveLength(2);
    expect(log.missing).toBe(0);
  });

  it('begins anew where a page is of another log', async () => {
    const { loader, log, asked, answer } = await loaded(1, 3);
    log.reaches(5);
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

  it('waits as long as the server says', async () => {
    const { loader, asked, answer } = loading();
    loader.complete();
    await answer(new Refusal('overloaded', 'Later.', true, 20_000));
    await pass(20_000);
    expect(asked).toHaveLength(1);
    await pass(500);
    expect(asked).toHaveLength(2);
  });

  it('is not tried again where that is useless', async () => {
    const { loader, asked, failed, answer } = loading();
    loader.complete();
    await answer(new Refusal('not_a_member', 'No.', false));
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
    log.reaches(5);
    loader.complete();
    await answer(page(4, 3, 3));
    expect([asked.length, failed]).toEqual([1, ['store_unavailable']]);
    await pass(1_500);
    await answer(page(4, 5));
    expect(log.missing).toBe(0);
  });

  it('may be a newest page that is far from the end: not at once either', async () => {
    const { loader, log, asked, failed, answer } = await loaded(1, 3);
    log.reaches(5_000);
    loader.complete();
    await answer(page(1, 3));
    expect([asked.length, failed]).toEqual([1, ['store_unavailable']]);
    await pass(1_500);
    await answer(page(4_951, 5_000));
    expect(log.missing).toBe(0);
  });
});

describe('older pages', () => {
  it('go before the slice', async () => {
    const { loader, log, asked, grown, answer } = await loaded(60, 80);
    const done = loader.older();
    expect(asked).toEqual([{ before: 60, limit: 50 }]);
    await answer(page(10, 59, 80));
    await done;
    expect([log.first, log.last]).toEqual([10, 80]);
    expect(grown).toEqual([[]]);
  });

  it('are not asked for where there are none, or nothing is loaded yet', async () => {
    const all = await loaded(1, 3);
    await all.loader.older();
    const none = loading();
    await none.loader.older();
    expect([all.asked, none.asked]).toEqual([[], []]);
  });

  it('that cannot be loaded reject', async () => {
    const { loader, answer } = await loaded(60, 80);
    const done = expect(loader.older()).rejects.toBe(UNAVAILABLE);
    await answer(UNAVAILABLE);
    await done;
  });

  it('of another log lead to a new beginning', async () => {
    const { loader, log, asked, answer } = await loaded(60, 80);
    void loader.older();
    await answer(page(10, 59, 80, 'e2'));
    expect(asked.at(-1)).toEqual({ limit: 50 });
    await answer(page(1, 2, 2, 'e2'));
    expect(log.epoch).toBe('e2');
  });

  it('of the log as it was before are dropped', async () => {
    const { loader, log, grown, answer } = await loaded(60, 80);
    void loader.older();
    log.reset(page(1, 2, 2, 'e2'));
    await answer(page(10, 59, 80));
    expect([log.first, log.last, grown]).toEqual([1, 2, []]);
  });
});
