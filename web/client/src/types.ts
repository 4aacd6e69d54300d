/**
 * What callers see: messages, rooms and snapshots. Data only.
 *
 * Snapshots are immutable: a change makes a new object, so `===` tells whether anything changed.
 * The wire forms are those of docs/protocol.md and docs/openapi.json.
 */

import type { ChatError } from './errors.js';

/** Something that can be read now and says when it changed. Fits `useSyncExternalStore`. */
export interface Readable<T> {
  /** The present snapshot: the same object until something changes. */
  get(): T;
  /** Calls the listener after each change. Returns what ends that. */
  subscribe(listener: () => void): () => void;
}

/** An entry of a room's log. `offset` counts 1, 2, 3 … within one `epoch`, without holes. */
export interface Message {
  /** `message`. A log may hold other types later, with other fields: skip what you do not know. */
  readonly type: string;
  readonly roomId: string;
  readonly epoch: string;
  readonly offset: number;
  readonly messageId: string;
  readonly sender: string;
  readonly senderName?: string;
  readonly content: string;
  readonly clientMessageId?: string;
  /** RFC 3339, UTC. Order is by offset, not by this. */
  readonly sentAt: string;
}

export type Role = 'owner' | 'admin' | 'member';

/** A room as one of its members sees it in the list of rooms. */
export interface Room {
  readonly roomId: string;
  readonly name: string;
  readonly lastMessage: string | null;
  readonly lastMessageAt: string | null;
  readonly lastMessageSender: string | null;
  readonly unreadCount: number;
  /** Offset of the last message that the user has read; 0 for none. */
  readonly readOffset: number;
  readonly lastOffset: number;
  readonly epoch: string;
  readonly role: Role;
  /** The user wants no pushes of it. */
  readonly muted?: boolean;
  readonly createdAt: string;
}

/** When the user wants no pushes, on all devices. */
export interface NotificationSettings {
  /** Each day from one time to another (`22:00`) in a time zone (`Asia/Seoul`); null for never. */
  readonly quietHours: {
    readonly from: string;
    readonly to: string;
    readonly timeZone: string;
  } | null;
}

export interface Member {
  readonly user: string;
  readonly role: Role;
  readonly joinedAt: string;
  readonly readOffset: number;
}

/** A page of history, oldest first. `nextBefore`, `nextAfter`: absent where there is no more. */
export interface HistoryPage {
  readonly messages: readonly Message[];
  readonly epoch: string;
  readonly lastOffset: number;
  readonly nextBefore?: number;
  readonly nextAfter?: number;
}

/**
 * - `idle`: nobody needs a connection
 * - `connecting`: the first attempt is under way
 * - `online`: signed in
 * - `reconnecting`: it broke; the next attempt is waited for or under way
 * - `offline`: as `reconnecting`, and the browser says that there is no network
 * - `refused`: the server said not to come back, or no token is to be had; `retry()` starts anew
 */
export type ConnectionState =
  | 'idle'
  | 'connecting'
  | 'online'
  | 'reconnecting'
  | 'offline'
  | 'refused';

export interface ConnectionSnapshot {
  readonly state: ConnectionState;
  /** Attempts that failed since the connection was last up. */
  readonly attempt: number;
  /** When the next attempt is made (ms since 1970), or null: under way, or none is planned. */
  readonly retryAt: number | null;
  /** Since when there has been no connection although one is needed (ms), or null. */
  readonly lostAt: number | null;
  /** Why the last connection ended, or could not be had. */
  readonly disconnect: { readonly code: number; readonly reason: string } | null;
}

export interface RoomListSnapshot {
  /** `error`: could not be loaded; `rooms` is what was known before. */
  readonly status: 'idle' | 'loading' | 'ready' | 'error';
  /** The latest activity first. */
  readonly rooms: readonly Room[];
  /** Sum over all rooms. */
  readonly unreadCount: number;
  readonly error: ChatError | null;
}

/** A message of one's own that is on its way. */
export interface OutboxEntry {
  readonly clientMessageId: string;
  readonly roomId: string;
  readonly content: string;
  /** When it was written (ms since 1970). */
  readonly createdAt: number;
  /**
   * `pending`: not confirmed; goes out by itself. `sent`: durable, its message not seen yet.
   * `failed`: refused; stays until `resend` or `discard`.
   */
  readonly state: 'pending' | 'sent' | 'failed';
  readonly error: ChatError | null;
}

export interface RoomSnapshot {
  readonly roomId: string;
  /**
   * `loading`: nothing to show yet. `ready`. `error`: nothing could be loaded, `reload()` tries
   * again (and so does a new connection). `ended`: not a member, or there is no such room.
   */
  readonly status: 'loading' | 'ready' | 'error' | 'ended';
  readonly error: ChatError | null;
  /** Whether new messages are arriving now. */
  readonly live: boolean;
  /** The room's entry as it was on entering, or null until it is known. */
  readonly room: Room | null;
  /** Read marker on entering: messages above it were unread. Null until it is known. */
  readonly readOffsetOnEntry: number | null;
  /** A slice of the log without holes, up to the newest message that is known. */
  readonly messages: readonly Message[];
  /** Messages of one's own that are not in `messages` yet, in the order of writing. */
  readonly outbox: readonly OutboxEntry[];
  readonly hasOlder: boolean;
  readonly loadingOlder: boolean;
  /** Why the last `loadOlder` failed, or null. */
  readonly olderError: ChatError | null;
}

/** Somebody who writes a message just now; `name` where it came along. */
export interface Typist {
  readonly user: string;
  readonly name: string | null;
}

/** What passes by in an entered room; known only while there is a connection. */
export interface ActivitySnapshot {
  /** Who has the room on the screen, oneself included; null: not known, or more than are named. */
  readonly users: readonly string[] | null;
  /** How many have; null: not known. */
  readonly count: number | null;
  /** Others who type, the first one first. */
  readonly typing: readonly Typist[];
  /** Read markers of others that moved since the room was entered; `http.members` has them all. */
  readonly readOffsets: ReadonlyMap<string, number>;
}

export type ActivityEvent =
  | {
      readonly type: 'presence';
      readonly roomId: string;
      readonly count: number;
      readonly users?: readonly string[];
    }
  | {
      readonly type: 'typing';
      readonly roomId: string;
      readonly user: string;
      readonly userName?: string;
    }
  | {
      readonly type: 'read';
      readonly roomId: string;
      readonly user: string;
      readonly offset: number;
    }
  | {
      readonly type: 'left' | 'member-removed';
      readonly roomId: string;
      readonly user: string;
    }
  | {
      readonly type: 'member-added';
      readonly roomId: string;
      readonly user: string;
      readonly role: Role;
    };

/** Another's message in a room that the user looks at nowhere: left, or on hidden pages only. */
export interface Notification {
  readonly roomId: string;
  readonly message: Message;
  readonly unreadCount: number;
}

export interface ChatEvents {
  /** A message newer than all known ones came into an entered room, one's own included. */
  message: Message;
  notification: Notification;
  /** Something passed by in an entered room. */
  activity: ActivityEvent;
  /** Something was refused that no promise or snapshot tells of. */
  error: ChatError;
}

export interface TokenRequest {
  /** The last token was refused or is about to end: a cached one will not do. */
  readonly fresh: boolean;
}

/** Returns an access token. May throw `SignedOut`: then the connection is refused for good. */
export type GetToken = (request: TokenRequest) => string | Promise<string>;
