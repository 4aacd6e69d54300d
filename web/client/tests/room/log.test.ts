import { describe, expect, it } from 'vitest';
import { RoomLog } from '../../src/room/log.js';
import { message, messages, page } from '../support/messages.js';

/** A log that holds a slice. */
function logOf(from: number, to: number): RoomLog {
  const log = new RoomLog('1');
  log.reset(page(from, to));
  return log;
}

function offsets(log: RoomLog): number[] {
  return log.messages().map((one) => one.offset);
}

describe('a log that nothing is known of', () => {
  it('has no position, and keeps what arrives for the page to come', () => {
    const log = new RoomLog('1');
    expect([log.epoch, log.position(), log.hasOlder, log.missing]).toEqual([null, null, false, 0]);
    expect(log.add(message(3))).toEqual([]);
    expect(log.add(message(4))).toEqual([]);
    expect(log.messages()).toEqual([]);
    log.reset(page(1, 3));
    expect(offsets(log)).toEqual([1, 2, 3, 4]);
    expect(log.missing).toBe(0);
  });

  it('knows of a hole between the page and what arrived', () => {
    const log = new RoomLog('1');
    log.add(message(6));
    log.reset(page(1, 3));
    expect(offsets(log)).toEqual([1, 2, 3]);
    expect(log.missing).toBe(3);
  });

  it('lacks what was stored while its empty first page was read', () => {
    const log = new RoomLog('1');
    log.reset({ messages: [], epoch: 'e1', lastOffset: 2, nextAfter: 0 });
    expect([log.last, log.missing, log.position()]).toEqual([0, 2, '1.e1.0']);
  });

  it('that is empty begins at offset 1', () => {
    const log = new RoomLog('1');
    log.reset({ messages: [], epoch: 'e1', lastOffset: 0 });
    expect([log.first, log.last, log.hasOlder, log.position()]).toEqual([1, 0, false, '1.e1.0']);
    expect(log.add(message(1))).toEqual([message(1)]);
  });

  it('whose page holds nothing of a log with messages begins behind them', () => {
    const log = new RoomLog('1');
    log.reset({ messages: [], epoch: 'e1', lastOffset: 7 });
    expect([log.last, log.hasOlder, log.missing]).toEqual([7, false, 0]);
  });
});

describe('a message', () => {
  it('that is the next one is taken', () => {
    const log = logOf(5, 7);
    expect(log.add(message(8))).toEqual([message(8)]);
    expect([log.first, log.last, log.position()]).toEqual([5, 8, '1.e1.8']);
  });

  it('that is known is not taken again', () => {
    const log = logOf(5, 7);
    for (const offset of [1, 5, 7]) expect(log.add(message(offset))).toEqual([]);
    expect(offsets(log)).toEqual([5, 6, 7]);
  });

  it('that comes ahead waits for the hole to close, and comes once', () => {
    const log = logOf(1, 2);
    expect(log.add(message(4))).toEqual([]);
    expect(log.add(message(4))).toEqual([]);
    expect(log.add(message(6))).toEqual([]);
    expect(log.missing).toBe(4);
    expect(log.add(message(3))).toEqual([message(3), message(4)]);
    expect(log.missing).toBe(2);
    expect(log.append(page(5, 5, 6))).toEqual([message(5), message(6)]);
    expect(offsets(log)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('that comes ahead of a thousand others is loaded later', () => {
    const log = logOf(1, 1);
    for (const one of messages(3, 1_102)) log.add(one);
    expect(log.append(page(2, 2, 1_102))).toHaveLength(1_001);
    expect(log.missing).toBe(100);
  });
});

describe('a page', () => {
  it('continues the slice with what is next, and skips what is known', () => {
    const log = logOf(1, 3);
    expect(log.append(page(2, 5, 9)).map((one) => one.offset)).toEqual([4, 5]);
    expect(log.missing).toBe(4);
  });

  it('that leaves a hole continues nothing', () => {
    const log = logOf(1, 3);
    expect(log.append(page(6, 8))).toEqual([]);
    expect(offsets(log)).toEqual([1, 2, 3]);
  });

  it('goes before the slice where it ends at its beginning, and only there', () => {
    const log = logOf(10, 12);
    expect(log.hasOlder).toBe(true);
    for (const other of [page(1, 8), page(5, 10), { ...page(1, 0), nextBefore: 10 }]) {
      expect(log.prepend(other)).toBe(false);
    }
    expect(log.prepend(page(4, 9))).toBe(true);
    expect([log.first, log.last, log.hasOlder]).toEqual([4, 12, true]);
    expect(log.prepend(page(1, 3))).toBe(true);
    expect(log.hasOlder).toBe(false);
    expect(log.messages()).toEqual(messages(1, 12));
  });

  it('that begins anew replaces the slice', () => {
    const log = logOf(1, 3);
    log.add(message(900));
    log.reset(page(851, 900));
    expect([log.first, log.last, log.missing, log.hasOlder]).toEqual([851, 900, 0, true]);
  });

  it('that begins anew, but is older than what arrived, loses none of that', () => {
    const log = logOf(1, 5);
    log.reset(page(1, 3));
    expect(offsets(log)).toEqual([1, 2, 3, 4, 5]);
    expect(log.missing).toBe(0);
  });

  it('of another epoch brings another log: nothing of the old one stays', () => {
    const log = logOf(1, 5);
    log.add(message(8));
    log.reset(page(1, 2, 2, 'e2'));
    expect(log.messages()).toEqual(messages(1, 2, { epoch: 'e2' }));
    expect([log.epoch, log.missing, log.position()]).toEqual(['e2', 0, '1.e2.2']);
  });

  it('drops what came ahead of it from another epoch', () => {
    const log = new RoomLog('1');
    log.add(message(3, { epoch: 'e1' }));
    log.add(message(2, { epoch: 'e2' }));
    log.reset(page(1, 1, 1, 'e2'));
    expect(log.messages().map((one) => one.epoch)).toEqual(['e2', 'e2']);
  });
});

describe('the end of the log', () => {
  it('may be known before its messages, and only moves forward', () => {
    const log = logOf(1, 3);
    log.reaches(7, 'e1');
    log.reaches(5, 'e1');
    expect(log.missing).toBe(4);
  });
});

describe('the end of another log', () => {
  it('that was told first means nothing for the page that comes', () => {
    const log = new RoomLog('1');
    log.reaches(100, 'e1');
    log.add(message(101));
    log.reset(page(1, 2, 2, 'e2'));
    expect([log.last, log.missing]).toEqual([2, 0]);
  });

  it('that is told later takes the place of the first, also where it is nearer', () => {
    const log = new RoomLog('1');
    log.reaches(100, 'e1');
    log.reaches(5, 'e2');
    log.reset(page(1, 2, 2, 'e2'));
    expect(log.missing).toBe(3);
  });
});

describe('clearing', () => {
  it('forgets everything', () => {
    const log = logOf(4, 6);
    log.add(message(9));
    log.clear();
    expect([log.epoch, log.position(), log.missing, log.hasOlder]).toEqual([null, null, 0, false]);
    expect(log.endEpoch).toBeNull();
    expect(log.messages()).toEqual([]);
  });
});

describe('a very long log', () => {
  it('lets go of its oldest messages, which can be loaded again', () => {
    const log = logOf(1, 20_000);
    expect(log.add(message(20_001))).toHaveLength(1);
    expect([log.first, log.last, log.hasOlder]).toEqual([5_001, 20_001, true]);
    expect(log.messages()).toHaveLength(15_001);
    expect(log.messages()[0]?.offset).toBe(5_001);
    expect(log.prepend(page(4_951, 5_000))).toBe(true);
  });
});

describe('the messages', () => {
  it('are a copy: what was handed out does not change', () => {
    const log = logOf(1, 2);
    const before = log.messages();
    log.add(message(3));
    expect(before).toHaveLength(2);
  });
});
