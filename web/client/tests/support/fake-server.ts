/**
 * A scripted server: rooms as logs, connections to them, and what is to go wrong. The same rooms
 * are served over HTTP by `api`.
 */

import { DISCONNECTS } from '../../src/index.js';
import { FakeApi } from './fake-api.js';
import { FakeConnection } from './fake-connection.js';
import { FakeRoom } from './fake-log.js';
import { FakeSocket } from './fake-socket.js';
import type { Frame } from './frames.js';
import { claimsIn } from './token-desk.js';

/** What the server refuses. `closes`: by an ERROR and this code, as before soft errors. */
export interface Refusal {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly closes?: number;
}

/** `ignored`: nothing is done, nothing answered. `no receipt`: it is done. */
export type Fault = 'ignored' | 'no receipt' | Refusal;

/** Codes that follow an ERROR, with its `x-code`; the others come alone. */
const ERRORS: Readonly<Record<number, string>> = {
  1009: 'frame_too_large',
  1013: 'overloaded',
  4400: 'malformed_frame',
  4401: 'token_required',
  4402: 'token_invalid',
  4403: 'token_expired',
  4404: 'not_allowed',
  4405: 'bad_request',
  4406: 'store_unavailable',
  4407: 'token_revoked',
};

interface Trouble {
  readonly at: string;
  readonly fault: Fault;
  left: number;
}

export class FakeServer {
  readonly rooms = new Map<string, FakeRoom>();
  readonly sockets: FakeSocket[] = [];
  readonly connections: FakeConnection[] = [];
  readonly leaves: { user: string; roomId: string }[] = [];
  readonly reads: { user: string; roomId: string; offset: number }[] = [];
  readonly api = new FakeApi(this);
  /** Whether sockets can be opened and HTTP is answered. */
  reachable = true;
  /** Whether `x-since` is honoured, and up to how many messages. */
  recovers = true;
  recoveryLimit = 500;
  /** Whether CONNECTED says who is signed in. */
  tellsUser = true;
  /** Why tokens are refused, if they are. */
  refusesTokens: 'token_invalid' | null = null;
  readonly #troubles: Trouble[] = [];

  readonly webSocket = (url: string, protocols: string[]): WebSocket => {
    const socket = new FakeSocket(url, protocols);
    this.sockets.push(socket);
    if (this.reachable) {
      const connection = new FakeConnection(this, socket);
      this.connections.push(connection);
      socket.accept(connection, protocols[0] ?? '');
    } else socket.fail();
    return socket as unknown as WebSocket;
  };

  room(roomId: string, members: readonly string[] = ['alice', 'bob']): FakeRoom {
    const room = this.rooms.get(roomId) ?? new FakeRoom(roomId, members);
    this.rooms.set(roomId, room);
    return room;
  }

  /** Connections that are open, the latest last. */
  get live(): FakeConnection[] {
    return this.connections.filter((connection) => connection.isOpen);
  }

  /** Frames of all connections, by command or destination. */
  sent(name: string): Frame[] {
    return this.connections.flatMap((connection) => connection.sent(name));
  }

  // What goes wrong

  /** The next `times` frames with this destination, or command, meet the fault. */
  trouble(at: string, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#troubles.push({ at, fault, left: times });
  }

  /** Ends all trouble. */
  heal(): void {
    this.#troubles.length = 0;
    this.reachable = true;
    this.recovers = true;
    this.refusesTokens = null;
    this.api.heal();
  }

  faultAt(name: string): Fault | null {
    const trouble = this.#troubles.find((one) => one.at === name && one.left > 0);
    if (trouble === undefined) return null;
    trouble.left -= 1;
    return trouble.fault;
  }

  /** Ends every connection with the code, after an ERROR where the real server sends one. */
  drop(code = 1006): void {
    const reason = DISCONNECTS.find((one) => one.code === code)?.reason ?? '';
    for (const connection of this.live) connection.end(code, reason, ERRORS[code] ?? null);
  }

  /** Tells every client to leave after so long, as a server does that will stop. */
  hint(inMs: number): void {
    for (const connection of this.live) {
      const headers = { 'x-reconnect-ms': inMs };
      connection.deliver('/user/queue/errors', { type: 'reconnect', inMs }, headers);
    }
  }

  // What others do

  /** Stores a message and shows it; a repeated one is neither. */
  post(roomId: string, sender: string, content: string, clientMessageId?: string): void {
    const room = this.room(roomId);
    const message = room.store(sender, content, clientMessageId);
    if (message === null) return;
    const isLost = room.loseNext > 0;
    const isDouble = !isLost && room.doubleNext > 0;
    if (isLost) room.loseNext -= 1;
    if (isDouble) room.doubleNext -= 1;
    for (const connection of this.live) {
      const times = isLost ? 0 : isDouble ? 2 : 1;
      for (let time = 0; time < times; time += 1) {
        connection.deliver(`/topic/rooms/${roomId}`, message);
      }
    }
    for (const user of room.members) {
      this.#changed(room, user, {
        lastMessage: content,
        lastMessageAt: message.sentAt,
        lastMessageSender: sender,
      });
      if (user !== sender && !this.#isThere(user, roomId)) {
        const unreadCount = room.unread(user);
        this.tell(user, 'notifications', { type: 'notification', roomId, unreadCount, message });
      }
    }
  }

  markRead(roomId: string, user: string, offset: number): void {
    this.reads.push({ user, roomId, offset });
    const room = this.room(roomId);
    if (offset <= (room.read.get(user) ?? 0)) return;
    room.read.set(user, Math.min(offset, room.last));
    this.passBy(roomId, { type: 'read', user, offset });
    this.#changed(room, user, {});
  }

  /** Shows an activity to who subscribes to it. */
  passBy(roomId: string, activity: object): void {
    for (const connection of this.live) {
      connection.deliver(`/topic/rooms/${roomId}/activity`, { roomId, ...activity });
    }
  }

  join(roomId: string, user: string): void {
    this.room(roomId).members.add(user);
    this.tell(user, 'rooms', { type: 'joined', roomId, role: 'member' });
  }

  remove(roomId: string, user: string): void {
    const room = this.room(roomId);
    room.members.delete(user);
    for (const connection of this.#of(user)) connection.revoke(room);
    this.tell(user, 'rooms', { type: 'removed', roomId });
  }

  /** The room's log begins anew; its subscribers are sent away to notice. */
  reset(roomId: string, epoch: string): void {
    this.room(roomId).reset(epoch);
    for (const connection of this.live) {
      const isThere = [...connection.subscriptions.values()].includes(`/topic/rooms/${roomId}`);
      if (isThere) connection.end(4410, 'room log was reset: resume');
    }
  }

  tell(user: string, queue: string, body: object): void {
    for (const connection of this.#of(user)) {
      connection.deliver(`/user/queue/${queue}`, { ...body, to: user });
    }
  }

  // Tokens

  problemWith(token: string): string | null {
    if (this.refusesTokens !== null) return this.refusesTokens;
    return this.claimsOf(token).exp * 1000 <= Date.now() ? 'token_expired' : null;
  }

  claimsOf(token: string): { sub: string; exp: number } {
    return claimsIn(token.replace(/^Bearer /, ''));
  }

  #of(user: string): FakeConnection[] {
    return this.live.filter((connection) => connection.user === user);
  }

  #isThere(user: string, roomId: string): boolean {
    const destination = `/topic/rooms/${roomId}`;
    return this.#of(user).some((one) => [...one.subscriptions.values()].includes(destination));
  }

  #changed(room: FakeRoom, user: string, what: object): void {
    const { roomId } = room;
    this.tell(user, 'rooms', { type: 'room', roomId, unreadCount: room.unread(user), ...what });
  }
}
