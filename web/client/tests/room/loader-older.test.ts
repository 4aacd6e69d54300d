/** Pages before the slice. */

import { describe, expect, it } from 'vitest';
import { UNAVAILABLE } from '../support/fake-link.js';
import { loaded, loading } from '../support/loading.js';
import { page } from '../support/messages.js';
import { pass, virtualTime } from '../support/time.js';

virtualTime();

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

  it.each([
    ['is empty though there are some', { ...page(1, 0, 80), nextBefore: 60 }],
    ['ends before the slice begins', page(1, 30, 80)],
    ['reaches into the slice', page(30, 70, 80)],
  ])(
    'that do not fit reject, and are not asked for in a circle: a page that %s',
    async (_, wrong) => {
      const { loader, log, asked, grown, answer } = await loaded(60, 80);
      const done = expect(loader.older()).rejects.toMatchObject({
        code: 'store_unavailable',
        retryable: true,
      });
      await answer(wrong);
      await done;
      await pass(60_000);
      expect(asked).toHaveLength(1);
      expect([log.first, log.last, grown]).toEqual([60, 80, []]);
      const again = loader.older();
      await answer(page(10, 59, 80));
      await again;
      expect(log.first).toBe(10);
    },
  );

  it('that were deleted on the server are none', async () => {
    const { loader, log, asked, grown, answer } = await loaded(60, 80);
    const some = loader.older();
    const { nextBefore: _, ...first } = page(55, 59, 80);
    await answer(first);
    await some;
    expect([log.first, log.hasOlder]).toEqual([55, false]);
    await loader.older();
    expect([asked.length, grown]).toEqual([1, [[]]]);
  });

  it('that were deleted since are no more', async () => {
    const { loader, log, answer } = await loaded(60, 80);
    const done = loader.older();
    await answer({ messages: [], epoch: 'e1', lastOffset: 80, nextAfter: 70 });
    await done;
    expect([log.first, log.last, log.hasOlder]).toEqual([60, 80, false]);
  });

  it('that do not fit because the slice moved in the meantime are dropped without a word', async () => {
    const { loader, log, grown, answer } = await loaded(60, 80);
    const done = loader.older();
    log.prepend(page(50, 59, 80));
    await answer(page(10, 59, 80));
    await done;
    expect([log.first, log.last, grown]).toEqual([50, 80, []]);
  });
});
