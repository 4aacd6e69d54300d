import { describe, expect, it } from 'vitest';
import {
  type Happening,
  IDLE,
  type Machine,
  MOST_TOKENS_REFUSED,
  snapshot,
  step,
} from '../../src/connection/machine.js';
import { DISCONNECTS } from '../../src/disconnects.js';

const NOW = 1_000_000;

function around(random = 0, now = NOW) {
  return { now, random: () => random };
}

/** Plays happenings from idle. */
function after(...happenings: (Happening['type'] | Happening)[]): Machine {
  return happenings.reduce<Machine>((machine, one) => {
    const happening = (typeof one === 'string' ? { type: one } : one) as Happening;
    return step(machine, happening, around())[0];
  }, IDLE);
}

function closed(code: number): Happening {
  return { type: 'closed', closed: { code, reason: `reason of ${code}` } };
}

const NOBODY: Happening = { type: 'refused', closed: { code: 4401, reason: 'bye' } };

describe.each(DISCONNECTS)('an online connection closed with $code ($reason)', (entry) => {
  const { code, reconnect, delayMs, newToken } = entry;
  // A good-bye that nobody asked for: see the machine.
  const comesBack = reconnect || code === 1000;
  const happening = closed(code);
  const online = after('wanted', 'opened', 'settled');

  if (comesBack) {
    it(`is waited for at least ${delayMs} ms, and up to a second more`, () => {
      for (const [random, ms] of [
        [0, delayMs],
        [0.999, delayMs + 999],
      ] as const) {
        const [machine, ...effects] = step(online, happening, around(random));
        expect(effects).toEqual([{ do: 'wait', ms }]);
        expect(machine).toMatchObject({
          phase: 'waiting',
          attempt: 1,
          retryAt: NOW + ms,
          lostAt: NOW,
          disconnect: { code },
        });
      }
    });

    it(`is opened again with ${newToken ? 'a fresh token' : 'the token that it had'}`, () => {
      const waiting = after('wanted', 'opened', 'settled', happening);
      for (const type of ['due', 'retry', 'woken'] as const) {
        // Nothing wakes it before the server wants to see it.
        const [machine, ...effects] = step(waiting, { type }, around(0, NOW + delayMs));
        expect(effects).toEqual([{ do: 'open', freshToken: newToken }]);
        expect(machine).toMatchObject({ phase: 'opening', retryAt: null, lostAt: NOW });
      }
    });

    it('is waited for longer after each failure', () => {
      let machine = online;
      const waits: number[] = [];
      for (let failure = 0; failure < 7; failure += 1) {
        // 4401 and 4402 are given up: a token that is taken in between shows the waits all the same.
        const [next, effect] = step({ ...machine, tokensRefused: 0 }, happening, around(0.5));
        if (effect?.do === 'wait') waits.push(effect.ms - delayMs);
        [machine] = step(next, { type: 'due' }, around());
      }
      expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    });
  } else {
    it('is refused, until the user tries again, with a fresh token', () => {
      const [machine, ...effects] = step(online, happening, around());
      expect(effects).toEqual([{ do: 'close' }]);
      expect(machine).toMatchObject({ phase: 'refused', retryAt: null, disconnect: { code } });
      for (const type of ['due', 'woken', 'wanted', 'opened'] as const) {
        expect(step(machine, { type }, around())).toEqual([machine]);
      }
      const [again, ...then] = step(machine, { type: 'retry' }, around());
      expect(then).toEqual([{ do: 'open', freshToken: true }]);
      expect(again).toMatchObject({ phase: 'opening', attempt: 0, lostAt: NOW });
    });
  }
});

describe('a server that says when to come back', () => {
  it.each([12_000, 300, 0])('is believed more than the table: after %i ms', (retryAfterMs) => {
    const refusal = { code: 1013, reason: 'try again later', retryAfterMs };
    const [waiting, effect] = step(
      after('wanted'),
      { type: 'closed', closed: refusal },
      around(0.5),
    );
    expect(effect).toEqual({ do: 'wait', ms: retryAfterMs + 500 });
    const [, woken] = step(waiting, { type: 'woken' }, around());
    expect(woken).toEqual(
      retryAfterMs ? { do: 'wait', ms: retryAfterMs } : { do: 'open', freshToken: false },
    );
  });
});

describe.each([1006, 4001, 4999])('a code outside of the table, %i', (code) => {
  it('means: come back, with the same token', () => {
    const [waiting, effect] = step(after('wanted', 'opened'), closed(code), around(0.5));
    expect(effect).toEqual({ do: 'wait', ms: 500 });
    expect(step(waiting, { type: 'due' }, around())[1]).toEqual({ do: 'open', freshToken: false });
  });
});

describe('a machine that is woken', () => {
  const waiting = step(after('wanted', 'opened', 'settled'), closed(1013), around(0.999))[0];

  it('waits on, but only until the server wants to see it', () => {
    expect(waiting.retryAt).toBe(NOW + 5_999);
    const [later, ...effects] = step(waiting, { type: 'woken' }, around(0, NOW + 1_000));
    expect(effects).toEqual([{ do: 'wait', ms: 4_000 }]);
    expect(later).toEqual({ ...waiting, retryAt: NOW + 5_000 });
    expect(step(later, { type: 'woken' }, around(0, NOW + 4_999))[1]).toEqual({
      do: 'wait',
      ms: 1,
    });
    expect(step(later, { type: 'due' }, around(0, NOW + 5_000))[1]).toMatchObject({ do: 'open' });
  });

  it('opens after that time, and at once where the server has no wish', () => {
    expect(step(waiting, { type: 'woken' }, around(0, NOW + 5_000))[1]).toMatchObject({
      do: 'open',
    });
    const broken = after('wanted', 'opened', closed(1006));
    expect(step(broken, { type: 'woken' }, around())[1]).toMatchObject({ do: 'open' });
  });

  it('opens at once when the user asks, whatever the server wants', () => {
    expect(step(waiting, { type: 'retry' }, around())[1]).toMatchObject({ do: 'open' });
  });

  it('waits no longer because the clock was set back', () => {
    const [later, effect] = step(waiting, { type: 'woken' }, around(0, NOW - 3_600_000));
    expect(effect).toEqual({ do: 'wait', ms: 5_000 });
    expect(later.retryAt).toBe(NOW - 3_600_000 + 5_000);
    // Nor does it begin anew each time that it is woken.
    const again = step(later, { type: 'woken' }, around(0, NOW - 3_600_000 + 1_000));
    expect(again[1]).toEqual({ do: 'wait', ms: 4_000 });
  });

  it('keeps no wish of the server over another end', () => {
    const [opening] = step(waiting, { type: 'retry' }, around());
    const [broken] = step(opening, closed(1006), around(0.999));
    expect(step(broken, { type: 'woken' }, around())[1]).toMatchObject({ do: 'open' });
  });
});

describe('tokens that are refused', () => {
  it.each([4401, 4402])('with %i three times in a row end the attempts', (code) => {
    let machine = after('wanted');
    for (let time = 1; time < MOST_TOKENS_REFUSED; time += 1) {
      [machine] = step(machine, closed(code), around());
      expect(machine.phase).toBe('waiting');
      [machine] = step(machine, { type: 'due' }, around());
    }
    const [end, ...effects] = step(machine, closed(code), around());
    expect(end.phase).toBe('refused');
    expect(effects).toEqual([{ do: 'close' }]);
  });

  it('are counted over other failures, and no more after one was taken', () => {
    const twice = [closed(4402), 'due', closed(1006), 'due', closed(4402), 'due'] as const;
    expect(after('wanted', ...twice).tokensRefused).toBe(2);
    expect(after('wanted', ...twice, closed(4402)).phase).toBe('refused');
    expect(after('wanted', ...twice, 'opened', closed(4402)).phase).toBe('waiting');
  });

  it('are not those whose time was over', () => {
    const once = [closed(4403), 'due'] as const;
    const machine = after('wanted', ...once, ...once, ...once, ...once, closed(4403));
    expect(machine).toMatchObject({ phase: 'waiting', tokensRefused: 0 });
  });

  it('begin anew when the user tries again', () => {
    const refused = after('wanted', NOBODY, 'retry');
    expect(refused).toMatchObject({ phase: 'opening', tokensRefused: 0 });
  });
});

describe('the machine', () => {
  it('opens when wanted, and closes when not', () => {
    const [opening, ...open] = step(IDLE, { type: 'wanted' }, around());
    expect(open).toEqual([{ do: 'open', freshToken: false }]);
    expect(opening).toMatchObject({ phase: 'opening', lostAt: NOW });
    expect(step(opening, { type: 'unwanted' }, around())).toEqual([IDLE, { do: 'close' }]);
    expect(step(after('wanted', 'opened'), { type: 'unwanted' }, around())).toEqual([
      IDLE,
      { do: 'close' },
    ]);
  });

  it('forgets what went wrong when it is wanted no more', () => {
    expect(step(after('wanted', closed(1013)), { type: 'unwanted' }, around())).toEqual([IDLE]);
    expect(step(after('wanted', closed(4405)), { type: 'unwanted' }, around())).toEqual([IDLE]);
  });

  it('is as new when it is open, but for the attempts until that has lasted', () => {
    const open = after('wanted', closed(1006), 'due', closed(1006), 'due', 'opened');
    expect(open).toMatchObject({ phase: 'online', attempt: 2, lostAt: null, disconnect: null });
    expect(step(open, { type: 'settled' }, around())[0].attempt).toBe(0);
    expect(step(open, closed(1006), around(0.5))[1]).toEqual({ do: 'wait', ms: 2_000 });
  });

  it('keeps since when it is lost over failed attempts', () => {
    const [waiting] = step(after('wanted', 'opened'), closed(1006), around());
    const [opening] = step(waiting, { type: 'due' }, { ...around(), now: NOW + 5_000 });
    const [again] = step(opening, closed(1006), { ...around(), now: NOW + 6_000 });
    expect(again.lostAt).toBe(NOW);
  });

  it('is refused when nobody is signed in, opening or online', () => {
    for (const before of [after('wanted'), after('wanted', 'opened')]) {
      expect(step(before, NOBODY, around())).toEqual([
        { ...before, phase: 'refused', disconnect: { code: 4401, reason: 'bye' } },
        { do: 'close' },
      ]);
    }
  });

  it.each([
    ['idle', IDLE, ['unwanted', 'opened', 'settled', 'due', 'retry', 'woken', 'stayed']],
    ['opening', after('wanted'), ['wanted', 'settled', 'due', 'retry', 'woken']],
    ['online', after('wanted', 'opened'), ['wanted', 'opened', 'due', 'retry', 'woken', 'stayed']],
    ['waiting', after('wanted', closed(1006)), ['wanted', 'opened', 'settled']],
  ] as const)('ignores, when %s, what has no meaning there', (_, machine, types) => {
    for (const type of types) {
      const [next, ...effects] = step(machine, { type } as Happening, around());
      expect(next).toBe(machine);
      expect(effects).toEqual([]);
    }
  });

  it('ignores the end of a connection that it does not have', () => {
    for (const machine of [IDLE, after('wanted', closed(1006)), after('wanted', closed(4405))]) {
      expect(step(machine, closed(1006), around())).toEqual([machine]);
    }
  });
});

describe('a hint', () => {
  const hinted: Happening = { type: 'hinted', ms: 700 };
  const soon = after('wanted', 'opened', hinted);
  const now = after('wanted', 'opened', hinted, 'due');

  it('is waited for once, then another connection is opened beside the one that is up', () => {
    expect(step(after('wanted', 'opened'), hinted, around())[1]).toEqual({ do: 'wait', ms: 700 });
    expect(step(soon, hinted, around())).toEqual([soon]);
    expect(step(soon, { type: 'due' }, around())).toEqual([
      { ...soon, moving: 'now' },
      { do: 'open', freshToken: false },
    ]);
    expect(now.phase).toBe('online');
    expect(step(now, { type: 'due' }, around())).toEqual([now]);
  });

  it('is done when that is up, and over when it cannot be had', () => {
    for (const type of ['opened', 'stayed'] as const) {
      expect(step(now, { type }, around())).toEqual([{ ...now, moving: 'no' }]);
    }
  });

  it('is no reason to wait once the connection is closed and the other one is on its way', () => {
    expect(step(now, closed(1012), around())).toEqual([
      {
        ...now,
        phase: 'opening',
        moving: 'no',
        lostAt: NOW,
        disconnect: { code: 1012, reason: 'reason of 1012' },
      },
    ]);
  });

  it('is forgotten when the connection is closed before', () => {
    const [machine, effect] = step(soon, closed(1012), around(0.5));
    expect(machine).toMatchObject({ phase: 'waiting', moving: 'no', attempt: 1 });
    expect(effect).toEqual({ do: 'wait', ms: 600 });
  });

  it('means nothing to who is not online', () => {
    for (const machine of [IDLE, after('wanted'), after('wanted', closed(1006))]) {
      expect(step(machine, hinted, around())).toEqual([machine]);
    }
  });
});

describe('what callers see', () => {
  it.each([
    ['idle', IDLE, 'idle', 'idle'],
    ['the first attempt', after('wanted'), 'connecting', 'connecting'],
    ['online', after('wanted', 'opened'), 'online', 'online'],
    ['waiting', after('wanted', closed(1006)), 'reconnecting', 'offline'],
    ['the second attempt', after('wanted', closed(1006), 'due'), 'reconnecting', 'offline'],
    ['refused', after('wanted', closed(4405)), 'refused', 'refused'],
  ])('of %s', (_, machine, withNetwork, without) => {
    expect(snapshot(machine, true).state).toBe(withNetwork);
    expect(snapshot(machine, false).state).toBe(without);
  });

  it('has what is known of the last end', () => {
    expect(snapshot(after('wanted', closed(1013)), true)).toEqual({
      state: 'reconnecting',
      attempt: 1,
      retryAt: NOW + 5_000,
      lostAt: NOW,
      disconnect: { code: 1013, reason: 'reason of 1013' },
    });
  });
});
