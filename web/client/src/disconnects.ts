/** The server's table of close codes; made by `make docs` from contracts/disconnects.py. */

export interface Disconnect {
  readonly code: number;
  readonly reason: string;
  /** May the client come back by itself? */
  readonly reconnect: boolean;
  /** How long to wait at least before that (ms). */
  readonly delayMs: number;
  /** Is a fresh token needed first? */
  readonly newToken: boolean;
}

export const DISCONNECTS: readonly Disconnect[] = [
  { code: 1000, reason: 'bye', reconnect: false, delayMs: 0, newToken: false },
  { code: 1007, reason: 'text is not UTF-8', reconnect: false, delayMs: 0, newToken: false },
  { code: 1009, reason: 'message too big', reconnect: false, delayMs: 0, newToken: false },
  { code: 1011, reason: 'internal error', reconnect: true, delayMs: 1000, newToken: false },
  { code: 1012, reason: 'service restart: resume', reconnect: true, delayMs: 100, newToken: false },
  { code: 1013, reason: 'try again later', reconnect: true, delayMs: 5000, newToken: false },
  { code: 4400, reason: 'protocol error', reconnect: false, delayMs: 0, newToken: false },
  { code: 4401, reason: 'token required', reconnect: true, delayMs: 1000, newToken: true },
  { code: 4402, reason: 'token invalid', reconnect: true, delayMs: 1000, newToken: true },
  { code: 4403, reason: 'token expired', reconnect: true, delayMs: 0, newToken: true },
  { code: 4404, reason: 'not allowed', reconnect: false, delayMs: 0, newToken: false },
  { code: 4405, reason: 'refused', reconnect: false, delayMs: 0, newToken: false },
  { code: 4406, reason: 'unavailable: resume', reconnect: true, delayMs: 1000, newToken: false },
  { code: 4407, reason: 'token revoked', reconnect: true, delayMs: 1000, newToken: true },
  { code: 4408, reason: 'no heart-beat', reconnect: true, delayMs: 0, newToken: false },
  { code: 4409, reason: 'slow consumer: resume', reconnect: true, delayMs: 1000, newToken: false },
  {
    code: 4410,
    reason: 'room log was reset: resume',
    reconnect: true,
    delayMs: 0,
    newToken: false,
  },
  {
    code: 4429,
    reason: 'rate limited: slow down',
    reconnect: true,
    delayMs: 1000,
    newToken: false,
  },
];
