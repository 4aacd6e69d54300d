/**
 * Messages of one's own on their way: kept until the server has them, sent again under the same
 * id when it is unknown whether it has, one at a time per room so that they keep their order.
 *
 * An entry is `pending` until its RECEIPT, `sent` until its message is seen in the log, and
 * `failed` when the server refuses it; a refusal that may be tried again leaves it `pending`.
 */

import { BACKOFF } from '../connection/backoff.js';
import type { Link } from '../connection/link.js';
import { ChatError } from '../errors.js';
import { Retry } from '../retry.js';
import type { Message, OutboxEntry } from '../types.js';
import { checkContent } from './content.js';
import { newClientMessageId } from './ids.js';
import type { OutboxStorage } from './storage.js';

/** Most messages that wait. */
const MOST_ENTRIES = 500;

/** Least wait before a message that was refused for now is sent again. */
const AGAIN_MS = 500;

/** Somebody waits to see it sent: soon after the server can store again it should be. */
const AGAIN = { ...BACKOFF, mostMs: 8_000 };

/** A stored message that a live room does not show within this was stored long ago. */
const UNSEEN_MS = 10_000;

export interface OutboxOptions {
  readonly storage: OutboxStorage | null;
  readonly random: () => number;
  /** The link to send over, or null while the room's messages have to wait. */
  readonly link: (roomId: string) => Link | null;
  /** Called after each change of a room's entries. */
  readonly changed: (roomId: string) => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  #user: string | null = null;
  #entries: readonly OutboxEntry[] = [];
  /** The entry that is under way, by room. */
  readonly #underWay = new Map<string, string>();
  /** Rooms whose messages were refused for now. */
  readonly #retries = new Map<string, Retry>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes up what the user left behind, and stores what was written before he was known. */
  open(user: string): void {
    if (this.#user === user) return;
    const before = this.#entries;
    const written = this.#user === null ? before : [];
    this.#user = user;
    const known = new Set(written.map((entry) => entry.clientMessageId));
    const stored = this.#options.storage?.all(user) ?? [];
    const restored = stored
      .filter((entry) => !known.has(entry.clientMessageId))
      .map(({ failed, ...entry }): OutboxEntry => {
        const error = failed === undefined ? null : new ChatError(failed, failed, false);
        return { ...entry, state: error ? 'failed' : 'pending', error };
      });
    this.#entries = [...restored, ...written].sort((a, b) => a.createdAt - b.createdAt);
    for (const entry of written) this.#store(entry);
    const rooms = new Set([...before, ...this.#entries].map((entry) => entry.roomId));
    for (const roomId of rooms) this.#changed(roomId);
  }

  /** Stops all timers and forgets the entries; what is stored stays stored. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#entries = [];
    this.#underWay.clear();
    for (const retry of this.#retries.values()) retry.stop();
    this.#retries.clear();
    this.#user = null;
  }

  /** Tells whether anything waits to be sent. */
  isWaiting(): boolean {
    return this.#entries.some((entry) => entry.state === 'pending');
  }

  /** Returns the room's entries in the order of writing. */
  of(roomId: string): readonly OutboxEntry[] {
    return this.#entries.filter((entry) => entry.roomId === roomId);
  }

  /** Takes a message. Throws `ChatError` where it can never be sent, or too many wait. */
  add(roomId: string, content: string): OutboxEntry {
    checkContent(content);
    if (this.#entries.length >= MOST_ENTRIES) {
      throw new ChatError('outbox_full', `${MOST_ENTRIES} messages are waiting already.`, true);
    }
    // Never before an earlier one, whatever the clock does.
    const createdAt = Math.max(Date.now(), (this.#entries.at(-1)?.createdAt ?? 0) + 1);
    const clientMessageId = newClientMessageId();
    const entry: OutboxEntry = {
      clientMessageId,
      roomId,
      content,
      createdAt,
      state: 'pending',
      error: null,
    };
    this.#entries = [...this.#entries, entry];
    this.#store(entry);
    this.#changed(roomId);
    if (!this.#retries.get(roomId)?.isWaiting) this.#sendNext(roomId);
    return entry;
  }

  /** Sends a failed one again. */
  resend(clientMessageId: string): void {
    const entry = this.#find(clientMessageId);
    if (entry?.state !== 'failed') return;
    this.#replace({ ...entry, state: 'pending', error: null });
    this.flush(entry.roomId);
  }

  /** Forgets a failed one. */
  discard(clientMessageId: string): void {
    const entry = this.#find(clientMessageId);
    if (entry?.state === 'failed') this.#remove(entry);
  }

  /** Takes note of messages that the log shows. */
  seen(messages: readonly Message[], user: string | null): void {
    if (this.#entries.length === 0) return;
    for (const message of messages) {
      if (message.sender !== user || message.clientMessageId === undefined) continue;
      const entry = this.#find(message.clientMessageId);
      if (entry?.roomId === message.roomId) this.#remove(entry);
    }
  }

  /** Sends what waits, in all rooms or in one, without waiting any longer. */
  flush(roomId?: string): void {
    const rooms = new Set(this.#entries.map((entry) => entry.roomId));
    for (const room of roomId === undefined ? rooms : [roomId]) {
      this.#retries.get(room)?.stop();
      this.#sendNext(room);
    }
  }

  #sendNext(roomId: string): void {
    if (this.#underWay.has(roomId)) return;
    const link = this.#options.link(roomId);
    const entry = this.of(roomId).find((one) => one.state === 'pending');
    if (link === null || entry === undefined) return;
    const { clientMessageId, content } = entry;
    this.#underWay.set(roomId, clientMessageId);
    const body = { roomId, content, clientMessageId };
    link.send('/app/message', body, (error) => this.#settled(roomId, clientMessageId, error));
  }

  #settled(roomId: string, clientMessageId: string, error: ChatError | null): void {
    if (this.#underWay.get(roomId) !== clientMessageId) return;
    this.#underWay.delete(roomId);
    if (error?.retryable) {
      this.#sendLater(roomId, error);
      return;
    }
    this.#retries.delete(roomId);
    const entry = this.#find(clientMessageId);
    if (entry !== undefined) this.#answered(entry, error);
    this.#sendNext(roomId);
  }

  #answered(entry: OutboxEntry, error: ChatError | null): void {
    if (error !== null) {
      this.#replace({ ...entry, state: 'failed', error });
      return;
    }
    const sent: OutboxEntry = { ...entry, state: 'sent' };
    this.#replace(sent);
    this.#after(UNSEEN_MS, () => this.#unseen(sent));
  }

  #unseen(entry: OutboxEntry): void {
    if (this.#find(entry.clientMessageId) !== entry) return;
    if (this.#options.link(entry.roomId) !== null) this.#remove(entry);
    else this.#after(UNSEEN_MS, () => this.#unseen(entry));
  }

  #sendLater(roomId: string, error: ChatError): void {
    // A broken connection is no reason to wait: the next one flushes.
    if (error.code === 'network') return;
    const retry = this.#retries.get(roomId) ?? new Retry(this.#options.random, AGAIN_MS, AGAIN);
    this.#retries.set(roomId, retry);
    retry.later(() => this.#sendNext(roomId), error.retryAfterMs);
  }

  #after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  #find(clientMessageId: string): OutboxEntry | undefined {
    return this.#entries.find((entry) => entry.clientMessageId === clientMessageId);
  }

  #replace(entry: OutboxEntry): void {
    this.#entries = this.#entries.map((one) =>
      one.clientMessageId === entry.clientMessageId ? entry : one,
    );
    this.#store(entry);
    this.#changed(entry.roomId);
  }

  #remove(entry: OutboxEntry): void {
    this.#entries = this.#entries.filter((one) => one.clientMessageId !== entry.clientMessageId);
    if (this.#user !== null) this.#options.storage?.remove(this.#user, entry.clientMessageId);
    this.#changed(entry.roomId);
  }

  #store({ state, error, ...entry }: OutboxEntry): void {
    if (this.#user === null) return;
    if (state === 'sent') this.#options.storage?.remove(this.#user, entry.clientMessageId);
    else this.#options.storage?.put(this.#user, error ? { ...entry, failed: error.code } : entry);
  }

  #changed(roomId: string): void {
    this.#options.changed(roomId);
  }
}
