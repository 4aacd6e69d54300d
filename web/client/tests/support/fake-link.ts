/** A link without a connection: keeps what was asked of it, and settles it when the test says so. */

import type { Headers, Link, OnMessage, Settle } from '../../src/connection/link.js';
import { ChatError } from '../../src/index.js';

interface Request {
  readonly destination: string;
  readonly body: unknown;
  readonly headers: Headers;
  readonly settle: Settle;
}

interface Subscription extends Omit<Request, 'body'> {
  readonly id: string;
  readonly on: OnMessage;
}

export class FakeLink {
  user: string | null = 'alice';
  readonly sent: Request[] = [];
  readonly subscribed: Subscription[] = [];
  readonly unsubscribed: string[] = [];

  /** For what wants a `Link`: that one has private parts. */
  get asLink(): Link {
    return this as unknown as Link;
  }

  get bodies(): unknown[] {
    return this.sent.map((request) => request.body);
  }

  send(destination: string, body: unknown, settle: Settle, headers: Headers = {}): void {
    this.sent.push({ destination, body, settle, headers });
  }

  subscribe(
    id: string,
    destination: string,
    headers: Headers,
    on: OnMessage,
    settle: Settle,
  ): void {
    this.subscribed.push({ id, destination, headers, on, settle });
  }

  unsubscribe(id: string): void {
    this.unsubscribed.push(id);
  }

  /** Answers the latest SEND. */
  answer(error: ChatError | null = null): void {
    this.sent.at(-1)?.settle(error, {});
  }

  /** Answers the latest SUBSCRIBE; those to activity, which follow by themselves, apart. */
  accept(headers: Headers = {}, error: ChatError | null = null): void {
    this.#latest(false)?.settle(error, headers);
  }

  /** A message for the latest subscription. */
  deliver(body: unknown): void {
    this.#latest(false)?.on(body);
  }

  /** Something passes by. */
  passBy(body: unknown): void {
    this.#latest(true)?.on(body);
  }

  #latest(isActivity: boolean): Subscription | undefined {
    return this.subscribed.findLast(({ id }) => id.startsWith('activity-') === isActivity);
  }
}

export const BROKEN = new ChatError('network', 'The connection broke.', true);
export const UNAVAILABLE = new ChatError('store_unavailable', 'Not now.', true);
export const NOT_A_MEMBER = new ChatError('not_a_member', 'No.', false);
