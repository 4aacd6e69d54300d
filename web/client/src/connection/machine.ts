/**
 * The connection's state machine: what happened in, the next state and what to do out.
 * No clock, no socket, no timer; `connection.ts` is the shell round it.
 *
 * ```
 *            wanted              opened
 *    idle ----------> opening ----------> online
 *     ^                ^   |                 |
 *     |            due |   | closed          | closed
 *     | unwanted       |   v                 |
 *     +------------- waiting <---------------+
 *     |                    \ a final code, no token to be had
 *     +------------- refused      (retry -> opening)
 * ```
 *
 * A server that will stop says when to come back. Then a second connection is opened while the
 * first serves on (`moving`): `opened` is the change to it, `stayed` that there is none.
 *
 * What a close code means is the server's table (`disconnects.ts`). Codes that are not in it (1006:
 * the network; 4001: stompjs missed heart-beats) mean: come back. So does 1000, which answers a
 * DISCONNECT only, and we send none while the connection is wanted.
 */

import { DISCONNECTS, type Disconnect } from '../disconnects.js';
import type { ConnectionSnapshot } from '../types.js';
import { backoff } from './backoff.js';

export interface Closed {
  readonly code: number;
  readonly reason: string;
  /** When to come back, where the server said more than the code does (ms). */
  readonly retryAfterMs?: number;
}

export interface Machine {
  readonly phase: 'idle' | 'opening' | 'online' | 'waiting' | 'refused';
  /** Whether a connection is to be opened, or is, to take the place of the one that is up. */
  readonly moving: 'no' | 'soon' | 'now';
  /** Attempts that failed, or broke at once, in a row. */
  readonly attempt: number;
  /** Tokens that the server refused in a row. */
  readonly tokensRefused: number;
  readonly retryAt: number | null;
  /** Before this the server does not want to see us. */
  readonly notBefore: number;
  readonly lostAt: number | null;
  readonly disconnect: Closed | null;
}

export type Happening =
  | { readonly type: 'wanted' }
  | { readonly type: 'unwanted' }
  | { readonly type: 'opened' }
  /** It has been online for long enough to count as a success. */
  | { readonly type: 'settled' }
  | { readonly type: 'closed'; readonly closed: Closed }
  /** The server will stop, and wants to be left after so many milliseconds. */
  | { readonly type: 'hinted'; readonly ms: number }
  /** The connection that was to take the other's place cannot be had. */
  | { readonly type: 'stayed' }
  /** There is no token to be had, or no socket to be opened: trying again is useless. */
  | { readonly type: 'refused'; readonly closed: Closed }
  /** The wait is over. */
  | { readonly type: 'due' }
  /** The user asks for it. */
  | { readonly type: 'retry' }
  /** The network is back, or the page is looked at again. */
  | { readonly type: 'woken' };

export type Effect =
  | { readonly do: 'open'; readonly freshToken: boolean }
  | { readonly do: 'close' }
  /** Tell `due` after so many milliseconds. */
  | { readonly do: 'wait'; readonly ms: number };

export interface Surroundings {
  readonly now: number;
  readonly random: () => number;
}

export const IDLE: Machine = {
  phase: 'idle',
  moving: 'no',
  attempt: 0,
  tokensRefused: 0,
  retryAt: null,
  notBefore: 0,
  lostAt: null,
  disconnect: null,
};

/** Fresh tokens that the server may refuse in a row before we stop asking for more. */
export const MOST_TOKENS_REFUSED = 3;

type Step = readonly [Machine, ...Effect[]];

/** Returns the next state and what to do. What has no meaning in a state changes nothing. */
export function step(machine: Machine, event: Happening, around: Surroundings): Step {
  switch (`${machine.phase} ${event.type}`) {
    case 'idle wanted':
      return open({ ...IDLE, lostAt: around.now });
    case 'opening opened':
      return [{ ...machine, phase: 'online', tokensRefused: 0, lostAt: null, disconnect: null }];
    case 'online settled':
      return [{ ...machine, attempt: 0 }];
    case 'waiting due':
    case 'waiting retry':
      return open(machine);
    case 'waiting woken':
      return woken(machine, around);
    case 'refused retry':
      return open({ ...IDLE, lostAt: around.now, disconnect: machine.disconnect }, true);
    case 'opening unwanted':
    case 'online unwanted':
      return [IDLE, { do: 'close' }];
    case 'waiting unwanted':
    case 'refused unwanted':
      return [IDLE];
  }
  if (machine.phase === 'online') {
    const moved = moving(machine, event, around);
    if (moved !== null) return moved;
  }
  if (machine.phase === 'opening' || machine.phase === 'online') {
    if (event.type === 'closed') return lost(machine, event.closed, around);
    if (event.type === 'refused') return refused(machine, event.closed);
  }
  return [machine];
}

/** Returns what callers see. */
export function snapshot(machine: Machine, online: boolean): ConnectionSnapshot {
  const { attempt, retryAt, lostAt, disconnect } = machine;
  return { state: stateOf(machine, online), attempt, retryAt, lostAt, disconnect };
}

function stateOf(machine: Machine, online: boolean): ConnectionSnapshot['state'] {
  switch (machine.phase) {
    case 'idle':
    case 'online':
    case 'refused':
      return machine.phase;
    case 'opening':
      if (machine.disconnect === null) return 'connecting';
  }
  return online ? 'reconnecting' : 'offline';
}

function open(machine: Machine, freshToken = false): Step {
  const fresh = freshToken || entryOf(machine.disconnect)?.newToken === true;
  return [
    { ...machine, phase: 'opening', retryAt: null },
    { do: 'open', freshToken: fresh },
  ];
}

function lost(machine: Machine, closed: Closed, { now, random }: Surroundings): Step {
  const entry = entryOf(closed);
  if (entry?.reconnect === false) return refused(machine, closed);
  // At its `exp` a token is not refused: it was good.
  const tokensRefused = machine.tokensRefused + (entry?.newToken && closed.code !== 4403 ? 1 : 0);
  if (tokensRefused >= MOST_TOKENS_REFUSED) return refused(machine, closed);
  const leastMs = leastOf(closed);
  const ms = backoff(machine.attempt, leastMs, random);
  const next: Machine = {
    phase: 'waiting',
    moving: 'no',
    attempt: machine.attempt + 1,
    tokensRefused,
    retryAt: now + ms,
    notBefore: now + leastMs,
    lostAt: machine.lostAt ?? now,
    disconnect: closed,
  };
  return [next, { do: 'wait', ms }];
}

/** Returns the step of a change of connections, or null where it is none. */
function moving(machine: Machine, event: Happening, { now }: Surroundings): Step | null {
  switch (`${machine.moving} ${event.type}`) {
    case 'no hinted':
      return event.type === 'hinted'
        ? [
            { ...machine, moving: 'soon' },
            { do: 'wait', ms: event.ms },
          ]
        : null;
    case 'soon due':
      return [
        { ...machine, moving: 'now' },
        { do: 'open', freshToken: false },
      ];
    case 'now opened':
      return [{ ...machine, moving: 'no', tokensRefused: 0 }];
    case 'now stayed':
      return [{ ...machine, moving: 'no' }];
    case 'now closed': {
      // It ended before the new one is up: that one goes on opening.
      const disconnect = event.type === 'closed' ? event.closed : null;
      return [{ ...machine, phase: 'opening', moving: 'no', lostAt: now, disconnect }];
    }
  }
  return null;
}

function woken(machine: Machine, { now }: Surroundings): Step {
  // Never more than the server wants: the clock may have been set back.
  const leastMs = leastOf(machine.disconnect);
  const ms = Math.min(machine.notBefore - now, leastMs);
  if (ms <= 0) return open(machine);
  return [
    { ...machine, retryAt: now + ms, notBefore: now + ms },
    { do: 'wait', ms },
  ];
}

function refused(machine: Machine, disconnect: Closed): Step {
  return [
    { ...machine, phase: 'refused', moving: 'no', retryAt: null, disconnect },
    { do: 'close' },
  ];
}

function leastOf(closed: Closed | null): number {
  return closed?.retryAfterMs ?? entryOf(closed)?.delayMs ?? 0;
}

function entryOf(closed: Closed | null): Disconnect | undefined {
  if (closed === null || closed.code === 1000) return undefined;
  return DISCONNECTS.find((one) => one.code === closed.code);
}
