/**
 * ChatError            what the server or the network refused, with its stable `code`
 * SignedOut            thrown by `getToken`: there is no token to be had, do not try again
 *
 * Codes are those of docs/protocol.md, and besides:
 * `network` (no answer, or none of ours), `timeout` (none in time), `outbox_full` (too many
 * messages wait), `left` (the room was left), `push_failed` (the browser's push
 * service), `internal` (a fault of this client).
 */

export class ChatError extends Error {
  override readonly name = 'ChatError';

  constructor(
    /** Stable: programs look at this. */
    readonly code: string,
    message: string,
    /** Nothing is wrong with the request itself. */
    readonly retryable: boolean,
    /** How long to wait at least, where the server knows (ms). */
    readonly retryAfterMs: number | null = null,
    /** HTTP status, where there was an answer. */
    readonly status: number | null = null,
  ) {
    super(message);
  }
}

export class SignedOut extends Error {
  override readonly name = 'SignedOut';

  constructor(message = 'Nobody is signed in.') {
    super(message);
  }
}

/** Returns the error as what callers are told: anything else than a `ChatError` is a fault of ours. */
export function asChatError(error: unknown): ChatError {
  return error instanceof ChatError ? error : new ChatError('internal', String(error), true);
}
