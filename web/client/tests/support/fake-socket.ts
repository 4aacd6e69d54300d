/**
 * A WebSocket without a network: what is sent arrives at the far end after the latency, in order.
 * Keeps to the rules of the standard that a client can trip over: `send` throws before the opening,
 * is silent after the closing; `close` tells `onclose` later, never at once, and once.
 */

/** Time of a chunk from one end to the other (ms). */
export const LATENCY_MS = 5;

/** The server's end. */
export interface FarEnd {
  opened(): void;
  received(chunk: string): void;
  closed(code: number): void;
}

export class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;

  readyState = FakeSocket.CONNECTING;
  protocol = '';
  binaryType: BinaryType = 'blob';
  readonly bufferedAmount = 0;
  readonly extensions = '';
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  /** No chunk goes through any more, and no end tells the other one. */
  #cut = false;
  #farEnd: FarEnd | null = null;
  /** What arrives at the same moment: one timer, for a thousand messages too. */
  #batch: { readonly at: number; readonly works: (() => void)[] } = { at: 0, works: [] };

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
  ) {
    super();
  }

  send(chunk: string): void {
    if (this.readyState === FakeSocket.CONNECTING) {
      throw new DOMException('Still in CONNECTING state.', 'InvalidStateError');
    }
    if (this.readyState !== FakeSocket.OPEN) return;
    this.#later(() => this.#farEnd?.received(chunk));
  }

  close(code = 1005): void {
    if (this.readyState >= FakeSocket.CLOSING) return;
    const wasOpen = this.readyState === FakeSocket.OPEN;
    this.readyState = FakeSocket.CLOSING;
    if (!wasOpen) {
      setTimeout(() => this.#ended(1006, ''));
      return;
    }
    this.#later(() => {
      this.#farEnd?.closed(code);
      this.#later(() => this.#ended(code, ''));
    });
  }

  // The server's side

  /** Lets the connection come about. */
  accept(farEnd: FarEnd, protocol: string): void {
    this.#farEnd = farEnd;
    this.#later(() => {
      if (this.readyState !== FakeSocket.CONNECTING) return;
      this.readyState = FakeSocket.OPEN;
      this.protocol = protocol;
      this.#dispatch('open', {});
      farEnd.opened();
    });
  }

  /** The connection does not come about. */
  fail(): void {
    this.#later(() => {
      if (this.readyState >= FakeSocket.CLOSING) return;
      this.#dispatch('error', {});
      this.#ended(1006, '');
    });
  }

  push(chunk: string): void {
    this.#later(() => {
      if (this.readyState === FakeSocket.OPEN) this.#dispatch('message', { data: chunk });
    });
  }

  /** The server closes; 1006 is a network that breaks. */
  end(code: number, reason: string): void {
    this.#later(() => this.#ended(code, reason));
  }

  cut(): void {
    this.#cut = true;
  }

  #later(work: () => void): void {
    const at = Date.now() + LATENCY_MS;
    if (this.#batch.at === at) {
      this.#batch.works.push(work);
      return;
    }
    const works = [work];
    this.#batch = { at, works };
    setTimeout(() => {
      for (const one of works) if (!this.#cut) one();
    }, LATENCY_MS);
  }

  #ended(code: number, reason: string): void {
    if (this.readyState === FakeSocket.CLOSED) return;
    this.readyState = FakeSocket.CLOSED;
    this.#dispatch('close', { code, reason, wasClean: code !== 1006 });
  }

  #dispatch(type: 'open' | 'message' | 'close' | 'error', properties: object): void {
    const event = Object.assign(new Event(type), properties);
    (this[`on${type}`] as ((event: Event) => void) | null)?.(event);
    this.dispatchEvent(event);
  }
}
