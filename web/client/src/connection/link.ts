/**
 * One STOMP connection, from opening to its only end, over stompjs. It keeps stompjs's own
 * reconnecting off: when to come back is `machine.ts`'s business.
 *
 * Every request has one answer: its RECEIPT, a refusal, or the end of the connection. A receipt
 * that does not come ends the connection: what happened to the request is unknown, and a new
 * connection finds out.
 */

import { Client, type IMessage, TickerStrategy, Versions } from '@stomp/stompjs';
import { ChatError } from '../errors.js';
import type { Closed } from './machine.js';

/** Time from opening the socket to CONNECTED. */
const CONNECT_MS = 10_000;

/** Time for a receipt. The server answers within 10 s, even where it only says that it cannot. */
const RECEIPT_MS = 15_000;

/** Time for a DISCONNECT to be answered; then the socket is dropped. */
const GOODBYE_MS = 2_000;

/** A close of our own. Not in the server's table: it means "come back". */
const NO_ANSWER: Closed = { code: 4001, reason: 'no answer in time' };

/** The subprotocols to ask for. */
export const PROTOCOLS = new Versions([Versions.V1_2]).protocolVersions();

export type Headers = Readonly<Record<string, string>>;
export type MakeSocket = (url: string, protocols: string[]) => WebSocket;

/** Called once: with the RECEIPT's headers, or with what went wrong. */
export type Settle = (error: ChatError | null, headers: Headers) => void;

export interface LinkOptions {
  /** Just made, to `/allibe-ws` with `PROTOCOLS`. */
  readonly socket: WebSocket;
  readonly token: string;
  /** Offered to the server, both ways; 0 for none. */
  readonly heartBeatMs: number;
  readonly opened: (link: Link) => void;
  /** Called once, and never after `close()`. */
  readonly closed: (closed: Closed) => void;
}

interface Waiting {
  readonly settle: Settle;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class Link {
  /** The user that the server signed in, as CONNECTED says. */
  user: string | null = null;
  readonly #client: Client;
  readonly #options: LinkOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #connecting: ReturnType<typeof setTimeout>;
  #requests = 0;
  /** What the last ERROR said of when to come back (ms). */
  #retryAfterMs: number | null = null;
  #ended = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#client = new Client({
      webSocketFactory: () => options.socket,
      stompVersions: new Versions([Versions.V1_2]),
      connectHeaders: { Authorization: options.token, 'x-soft-errors': 'true' },
      reconnectDelay: 0,
      heartbeatIncoming: options.heartBeatMs,
      heartbeatOutgoing: options.heartBeatMs,
      // Browsers slow the timers of a hidden tab down to one a minute; those of a worker they do
      // not, and the server would give a tab up after two heart-beats.
      heartbeatStrategy: TickerStrategy.Worker,
      discardWebsocketOnCommFailure: true,
      onConnect: (frame) => this.#connected(frame.headers),
      onWebSocketClose: (event) => this.#end(this.#closeOf(event)),
      onStompError: (frame) => this.#refused(frame.headers),
    });
    this.#connecting = setTimeout(() => this.#giveUp(NO_ANSWER), CONNECT_MS);
    this.#client.activate();
  }

  /** Subscribes; `settle` is called after what was missed has come. */
  subscribe(
    id: string,
    destination: string,
    headers: Headers,
    on: OnMessage,
    settle: Settle,
  ): void {
    const receipt = this.#expect(settle);
    // What comes between `close()` and the end is for nobody any more.
    const received = (frame: IMessage) => this.#ended || on(bodyOf(frame));
    this.#client.subscribe(destination, received, { ...headers, id, receipt });
  }

  unsubscribe(id: string): void {
    if (this.isOpen()) this.#client.unsubscribe(id);
  }

  /** Sends; the body is made JSON. */
  send(destination: string, body: unknown, settle: Settle, headers: Headers = {}): void {
    if (!this.isOpen()) {
      settle(broken(), {});
      return;
    }
    const receipt = this.#expect(settle);
    this.#client.publish({
      destination,
      headers: { ...headers, 'content-type': 'application/json', receipt },
      body: JSON.stringify(body),
    });
  }

  /** Settles the request that a soft error names. Returns whether there was one. */
  refuse(receipt: string, error: ChatError): boolean {
    return this.#settle(receipt, error, {});
  }

  isOpen(): boolean {
    return !this.#ended && this.#client.connected;
  }

  /** Ends the connection in good manners; `closed` is not called. */
  close(): void {
    if (this.#ended) return;
    this.#finish();
    if (!this.#client.connected) {
      this.#drop();
      return;
    }
    const late = setTimeout(() => this.#drop(), GOODBYE_MS);
    void this.#client.deactivate().finally(() => clearTimeout(late));
  }

  #connected(headers: Headers): void {
    if (this.#ended) return;
    clearTimeout(this.#connecting);
    this.user = headers['user-name'] ?? null;
    this.#options.opened(this);
  }

  #expect(settle: Settle): string {
    const receipt = `r-${++this.#requests}`;
    const timer = setTimeout(() => this.#giveUp(NO_ANSWER), RECEIPT_MS);
    this.#waiting.set(receipt, { settle, timer });
    this.#client.watchForReceipt(receipt, (frame) => this.#settle(receipt, null, frame.headers));
    return receipt;
  }

  #settle(receipt: string, error: ChatError | null, headers: Headers): boolean {
    const waiting = this.#waiting.get(receipt);
    if (waiting === undefined) return false;
    this.#waiting.delete(receipt);
    clearTimeout(waiting.timer);
    waiting.settle(error, headers);
    return true;
  }

  /** An ERROR: the server closes after it, with a code that says what to do. */
  #refused(headers: Headers): void {
    this.#retryAfterMs = millisecondsIn(headers['x-retry-after-ms']);
    const receipt = headers['receipt-id'];
    const code = headers['x-code'] ?? 'internal_error';
    // The end of a token says nothing about the request that met it.
    if (receipt === undefined || code.startsWith('token_')) return;
    const retryable = headers['x-retryable'] === 'true';
    const message = headers.message ?? code;
    this.refuse(receipt, new ChatError(code, message, retryable, this.#retryAfterMs));
  }

  #closeOf({ code, reason }: CloseEvent): Closed {
    const closed = { code, reason: reason ?? '' };
    const retryAfterMs = this.#retryAfterMs;
    return retryAfterMs === null ? closed : { ...closed, retryAfterMs };
  }

  #giveUp(closed: Closed): void {
    this.#end(closed);
    this.#drop();
  }

  #drop(): void {
    void this.#client.deactivate({ force: true });
    // stompjs closes only a socket that it has taken over, which is a microtask after `activate`.
    this.#options.socket.close();
  }

  #end(closed: Closed): void {
    if (this.#ended) return;
    this.#finish();
    this.#options.closed(closed);
  }

  #finish(): void {
    this.#ended = true;
    clearTimeout(this.#connecting);
    for (const receipt of [...this.#waiting.keys()]) this.#settle(receipt, broken(), {});
  }
}

export type OnMessage = (body: unknown) => void;

function broken(): ChatError {
  return new ChatError(
    'network',
    'The connection broke; what was asked may or may not be done.',
    true,
  );
}

function millisecondsIn(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : null;
}

function bodyOf(frame: IMessage): unknown {
  try {
    return JSON.parse(frame.body);
  } catch {
    return null;
  }
}
