/**
 * From a room's messages to the rows on its screen: who starts a group, where a day begins, where
 * the unread ones begin. A row without a change is the same object as before, so that of 10,000
 * only those are rendered again that look different.
 */

import type { ChatError, Message, OutboxEntry } from '@allibe/client';
import { isTime, startOfDay } from '../i18n/formats.js';

/** A sender's messages within this time stand together. */
const GROUP_MS = 5 * 60_000;

/** What a row shows, whatever stands beside it. */
export interface Entry {
  /** The same while a message of one's own goes from the outbox into the log. */
  readonly key: string;
  readonly clientMessageId: string | null;
  /** Null: not in the log yet. */
  readonly offset: number | null;
  readonly sender: string;
  readonly senderName: string | null;
  readonly content: string;
  /** NaN where the server's time cannot be read. */
  readonly at: number;
  readonly day: number;
  readonly own: boolean;
  readonly state: 'arrived' | OutboxEntry['state'];
  readonly error: ChatError | null;
}

export interface Row {
  readonly entry: Entry;
  readonly startsDay: boolean;
  readonly startsUnread: boolean;
  readonly startsGroup: boolean;
  readonly endsGroup: boolean;
}

export interface RowsOf {
  readonly messages: readonly Message[];
  readonly outbox: readonly OutboxEntry[];
  /** Who reads: whose messages are own ones. */
  readonly user: string;
  /** Messages above this offset were unread on entering; null: none were. */
  readonly unreadAfter: number | null;
}

export class RowBuilder {
  readonly #entries = new WeakMap<Message | OutboxEntry, Entry>();
  readonly #rows = new WeakMap<Entry, Row>();

  build({ messages, outbox, user, unreadAfter }: RowsOf): readonly Row[] {
    const entries: Entry[] = [];
    for (const message of messages) {
      // Other types of log entries are for later versions of this page.
      if (message.type === 'message')
        entries.push(this.#entry(message, () => arrived(message, user)));
    }
    for (const waiting of outbox) entries.push(this.#entry(waiting, () => own(waiting, user)));

    const rows: Row[] = [];
    let unreadStarted = unreadAfter === null;
    let joinsNext = false;
    let day = Number.NaN;
    for (const [index, entry] of entries.entries()) {
      const next = entries[index + 1];
      const startsUnread = !unreadStarted && isUnread(entry, unreadAfter);
      unreadStarted ||= startsUnread;
      const startsGroup = !joinsNext || startsUnread;
      joinsNext = next !== undefined && joins(entry, next);
      // Without a time it belongs to the day of those around it.
      const startsDay = isTime(entry.day) && entry.day !== day;
      if (startsDay) day = entry.day;
      rows.push(
        this.#row({
          entry,
          startsDay,
          startsUnread,
          startsGroup,
          endsGroup: !joinsNext || (!unreadStarted && isUnread(next, unreadAfter)),
        }),
      );
    }
    return rows;
  }

  #entry(source: Message | OutboxEntry, make: () => Entry): Entry {
    const found = this.#entries.get(source);
    if (found) return found;
    const made = make();
    this.#entries.set(source, made);
    return made;
  }

  #row(row: Row): Row {
    const before = this.#rows.get(row.entry);
    if (before && sameFlags(before, row)) return before;
    this.#rows.set(row.entry, row);
    return row;
  }
}

/** Index of the row above which the line for unread messages stands, or -1. */
export function unreadIndex(rows: readonly Row[]): number {
  return rows.findIndex(({ startsUnread }) => startsUnread);
}

/** How many messages of others come after the offset. */
export function newAfter(rows: readonly Row[], offset: number): number {
  let count = 0;
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const entry = rows[index]?.entry;
    if (!entry || (entry.offset !== null && entry.offset <= offset)) break;
    if (entry.offset !== null && !entry.own) count += 1;
  }
  return count;
}

function arrived(message: Message, user: string): Entry {
  const at = Date.parse(message.sentAt);
  const isOwn = message.sender === user;
  const clientMessageId = isOwn ? (message.clientMessageId ?? null) : null;
  return {
    key: clientMessageId === null ? message.messageId : keyOf(clientMessageId),
    clientMessageId,
    offset: message.offset,
    sender: message.sender,
    senderName: message.senderName ?? null,
    content: message.content,
    at,
    day: startOfDay(at),
    own: isOwn,
    state: 'arrived',
    error: null,
  };
}

function own(waiting: OutboxEntry, user: string): Entry {
  return {
    key: keyOf(waiting.clientMessageId),
    clientMessageId: waiting.clientMessageId,
    offset: null,
    sender: user,
    senderName: null,
    content: waiting.content,
    at: waiting.createdAt,
    day: startOfDay(waiting.createdAt),
    own: true,
    state: waiting.state,
    error: waiting.error,
  };
}

function keyOf(clientMessageId: string): string {
  return `own-${clientMessageId}`;
}

function isUnread(entry: Entry | undefined, after: number | null): boolean {
  return entry?.offset != null && after !== null && entry.offset > after && !entry.own;
}

function joins(entry: Entry, next: Entry): boolean {
  return entry.sender === next.sender && entry.day === next.day && next.at - entry.at <= GROUP_MS;
}

function sameFlags(a: Row, b: Row): boolean {
  return (
    a.startsDay === b.startsDay &&
    a.startsUnread === b.startsUnread &&
    a.startsGroup === b.startsGroup &&
    a.endsGroup === b.endsGroup
  );
}
