/** One STOMP connection of the fake server: answers frames as docs/protocol.md says. */

import type { FakeRoom } from './fake-log.js';
import type { FakeServer, Refusal } from './fake-server.js';
import type { FakeSocket, FarEnd } from './fake-socket.js';
import { type Frame, framesIn, frameText } from './frames.js';

const HEART_BEAT_MS = 10_000;

type Headers = Record<string, string | number>;

export class FakeConnection implements FarEnd {
  /** What the client sent, in order. */
  readonly frames: Frame[] = [];
  /** Destinations by the id of the subscription. */
  readonly subscriptions = new Map<string, string>();
  user: string | null = null;
  /** The code that it was closed with, by either side; null while it is open. */
  closedWith: number | null = null;
  readonly #server: FakeServer;
  readonly #socket: FakeSocket;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  #heardAt = Date.now();
  #isSoft = false;

  constructor(server: FakeServer, socket: FakeSocket) {
    this.#server = server;
    this.#socket = socket;
  }

  get isOpen(): boolean {
    return this.closedWith === null && this.user !== null;
  }

  /** Frames by command, or by destination. */
  sent(name: string): Frame[] {
    return this.frames.filter((one) => one.command === name || one.headers.destination === name);
  }

  opened(): void {}

  received(chunk: string): void {
    if (this.closedWith !== null) return;
    this.#heardAt = Date.now();
    for (const frame of framesIn(chunk)) {
      this.frames.push(frame);
      if (this.closedWith === null) this.#act(frame);
    }
  }

  closed(code: number): void {
    this.closedWith ??= code;
    this.#stop();
  }

  /** Ends it from here. */
  end(code: number, reason: string, error: string | null = null): void {
    if (this.closedWith !== null) return;
    if (error !== null) this.#write('ERROR', { message: error, 'x-code': error });
    this.closed(code);
    this.#socket.end(code, reason);
  }

  /** The network swallows everything from now on; the server gives up later, the client too. */
  cut(): void {
    this.#socket.cut();
  }

  /** No heart-beat comes any more. */
  fallSilent(): void {
    clearInterval(this.#beat);
  }

  /** Hands a body to the subscriptions of a destination. */
  deliver(destination: string, body: object, headers: Headers = {}): void {
    for (const [id, subscribed] of this.subscriptions) {
      if (subscribed === destination) this.#message(id, destination, body, headers);
    }
  }

  /** Ends the subscriptions to a room, with a last message that says why. */
  revoke(room: FakeRoom): void {
    const destination = `/topic/rooms/${room.roomId}`;
    const body = { type: 'removed', to: this.user, roomId: room.roomId };
    this.deliver(destination, body, { 'message-id': `${room.roomId}.${room.epoch}.${room.last}` });
    this.#forget(destination);
  }

  #act(frame: Frame): void {
    if (frame.command === 'CONNECT') {
      this.#connect(frame);
      return;
    }
    const fault = this.#server.faultAt(frame.headers.destination ?? frame.command);
    if (fault === 'ignored') return;
    const answer = fault === null || fault === 'no receipt' ? this.#answer(frame) : fault;
    if (isRefusal(answer)) this.#refuse(frame, answer);
    else if (fault !== 'no receipt') this.#receipt(frame, answer);
    if (frame.command === 'DISCONNECT' && fault === null) this.end(1000, 'bye');
  }

  #connect(frame: Frame): void {
    this.#isSoft = frame.headers['x-soft-errors'] === 'true';
    const fault = this.#server.faultAt('CONNECT');
    if (fault !== null) return;
    const problem = this.#signIn(frame.headers.Authorization ?? '');
    if (problem !== null) {
      this.end(problem === 'token_expired' ? 4403 : 4402, problem, problem);
      return;
    }
    this.#write('CONNECTED', {
      version: '1.2',
      'heart-beat': `${HEART_BEAT_MS},${HEART_BEAT_MS}`,
      server: 'fake',
      ...(this.#server.tellsUser ? { 'user-name': this.user ?? '' } : {}),
    });
    if (frame.headers['heart-beat'] !== '0,0') this.#keepAlive();
  }

  #keepAlive(): void {
    this.#beat = setInterval(() => {
      this.#socket.push('\n');
      if (Date.now() - this.#heardAt > 2 * HEART_BEAT_MS) this.end(4408, 'no heart-beat');
    }, HEART_BEAT_MS);
  }

  #signIn(token: string): string | null {
    const problem = this.#server.problemWith(token);
    if (problem !== null) return problem;
    const { sub, exp } = this.#server.claimsOf(token);
    this.user = sub;
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(
      () => this.end(4403, 'token expired', 'token_expired'),
      exp * 1000 - Date.now(),
    );
    return null;
  }

  #answer(frame: Frame): Headers | Refusal {
    switch (frame.command) {
      case 'SUBSCRIBE':
        return this.#subscribe(frame);
      case 'UNSUBSCRIBE':
        this.subscriptions.delete(frame.headers.id ?? '');
        return {};
      case 'SEND':
        return this.#send(frame);
      default:
        return {};
    }
  }

  #subscribe({ headers }: Frame): Headers | Refusal {
    const { id = '', destination = '' } = headers;
    if (this.subscriptions.has(id)) return { code: 'conflict', retryable: false };
    const [, roomId, isActivity] = /^\/topic\/rooms\/([^/]+)(\/activity)?$/.exec(destination) ?? [];
    if (roomId === undefined) {
      this.subscriptions.set(id, destination);
      return {};
    }
    const room = this.#server.rooms.get(roomId);
    if (room === undefined) return { code: 'unknown_room', retryable: false };
    if (!room.members.has(this.user ?? '')) return { code: 'not_a_member', retryable: false };
    this.subscriptions.set(id, destination);
    if (isActivity) return {};
    const position = { 'x-offset': room.last, 'x-epoch': room.epoch };
    const since = headers['x-since'];
    if (since === undefined) return position;
    const missed = this.#server.recovers ? room.since(since, this.#server.recoveryLimit) : null;
    for (const message of missed ?? []) this.#message(id, destination, message, {});
    return { ...position, 'x-recovered': String(missed !== null) };
  }

  #send({ headers, body }: Frame): Headers | Refusal {
    if (headers.destination === '/app/auth') {
      const problem = this.#signIn(headers.Authorization ?? '');
      if (problem !== null) this.end(4402, 'token invalid', problem);
      return {};
    }
    if (headers.destination === '/app/visibility') return {};
    const { roomId, ...request } = JSON.parse(body) as Record<string, string>;
    const room = this.#server.rooms.get(roomId ?? '');
    if (room === undefined) return { code: 'unknown_room', retryable: false };
    const user = this.user ?? '';
    if (!room.members.has(user)) return { code: 'not_a_member', retryable: false };
    switch (headers.destination) {
      case '/app/message':
        this.#server.post(room.roomId, user, request.content ?? '', request.clientMessageId);
        break;
      case '/app/read':
        this.#server.markRead(room.roomId, user, Number(request.offset));
        break;
      case '/app/typing':
        this.#server.passBy(room.roomId, { type: 'typing', user });
        break;
      case '/app/leave':
        this.#forget(`/topic/rooms/${room.roomId}`);
        this.#forget(`/topic/rooms/${room.roomId}/activity`);
        this.#server.leaves.push({ user, roomId: room.roomId });
    }
    return {};
  }

  #forget(destination: string): void {
    for (const [id, one] of this.subscriptions) {
      if (one === destination) this.subscriptions.delete(id);
    }
  }

  #receipt({ headers: { receipt } }: Frame, headers: Headers): void {
    if (receipt !== undefined) this.#write('RECEIPT', { 'receipt-id': receipt, ...headers });
  }

  #refuse(frame: Frame, refusal: Refusal): void {
    const { code, retryable, retryAfterMs, closes } = refusal;
    const receiptId = frame.headers.receipt;
    if (!this.#isSoft || closes !== undefined) {
      const receipt: Headers = receiptId === undefined ? {} : { 'receipt-id': receiptId };
      const headers = { message: code, 'x-code': code, 'x-retryable': String(retryable) };
      const later = retryAfterMs === undefined ? {} : { 'x-retry-after-ms': String(retryAfterMs) };
      this.#write('ERROR', { ...headers, ...receipt, ...later });
      this.end(closes ?? 4405, 'refused');
      return;
    }
    const { destination } = frame.headers;
    const body = { type: 'error', code, message: code, retryable, retryAfterMs };
    this.deliver('/user/queue/errors', { ...body, receiptId, destination });
  }

  #message(id: string, destination: string, body: object, headers: Headers): void {
    const text = JSON.stringify(body);
    const { roomId, epoch, offset } = body as Partial<Record<string, string | number>>;
    this.#write(
      'MESSAGE',
      {
        subscription: id,
        destination,
        'content-type': 'application/json',
        'message-id': offset === undefined ? 'event' : `${roomId}.${epoch}.${offset}`,
        ...headers,
        'content-length': new TextEncoder().encode(text).length,
      },
      text,
    );
  }

  #write(command: string, headers: Headers, body = ''): void {
    if (this.closedWith === null) this.#socket.push(frameText(command, headers, body));
  }

  #stop(): void {
    clearTimeout(this.#expiry);
    clearInterval(this.#beat);
  }
}

function isRefusal(answer: Headers | Refusal): answer is Refusal {
  return 'retryable' in answer;
}
