/** A room of the fake server: its log, its members and how far they have read. */

import type { HistoryPage, Message, Room } from '../../src/index.js';

export class FakeRoom {
  epoch = 'e1';
  name: string;
  muted = false;
  readonly createdAt = new Date().toISOString();
  readonly members = new Set<string>();
  readonly read = new Map<string, number>();
  messages: Message[] = [];
  /** So many of the next messages are stored, but shown to nobody. */
  loseNext = 0;
  /** So many of the next messages are shown twice. */
  doubleNext = 0;

  constructor(
    readonly roomId: string,
    members: readonly string[],
  ) {
    this.name = `Room ${roomId}`;
    for (const member of members) this.members.add(member);
  }

  get last(): number {
    return this.messages.length;
  }

  get contents(): string[] {
    return this.messages.map((message) => message.content);
  }

  /** Stores a message; null for one that is stored already. */
  store(sender: string, content: string, clientMessageId?: string): Message | null {
    const isSame = (one: Message) =>
      one.sender === sender && one.clientMessageId === clientMessageId;
    if (clientMessageId !== undefined && this.messages.some(isSame)) return null;
    const offset = this.last + 1;
    const message: Message = {
      type: 'message',
      roomId: this.roomId,
      epoch: this.epoch,
      offset,
      messageId: `${this.roomId}-${this.epoch}-${offset}`,
      sender,
      content,
      sentAt: new Date().toISOString(),
      ...(clientMessageId === undefined ? {} : { clientMessageId }),
    };
    this.messages.push(message);
    return message;
  }

  /** What follows a position, or null where that cannot be told. */
  since(position: string, most: number): Message[] | null {
    const [roomId, epoch, offset] = position.split('.');
    const after = Number(offset);
    const isKnown = roomId === this.roomId && epoch === this.epoch && after <= this.last;
    if (!isKnown || this.last - after > most) return null;
    return this.messages.slice(after);
  }

  page(query: URLSearchParams): HistoryPage {
    const limit = Number(query.get('limit'));
    const before = Number(query.get('before') ?? this.last + 1);
    const after = query.get('after');
    const from = after === null ? Math.max(0, before - 1 - limit) : Number(after);
    const to = after === null ? before - 1 : Math.min(this.last, from + limit);
    return {
      messages: this.messages.slice(from, to),
      epoch: this.epoch,
      lastOffset: this.last,
      ...(from > 0 ? { nextBefore: from + 1 } : {}),
      ...(after !== null && to < this.last ? { nextAfter: to } : {}),
    };
  }

  /** Another log begins: empty, its offsets from 1 again. */
  reset(epoch: string): void {
    this.epoch = epoch;
    this.messages = [];
    this.read.clear();
  }

  unread(user: string): number {
    const read = this.read.get(user) ?? 0;
    return this.messages.filter((one) => one.offset > read && one.sender !== user).length;
  }

  asSeenBy(user: string): Room {
    const last = this.messages.at(-1);
    return {
      roomId: this.roomId,
      name: this.name,
      lastMessage: last?.content ?? null,
      lastMessageAt: last?.sentAt ?? null,
      lastMessageSender: last?.sender ?? null,
      unreadCount: this.unread(user),
      readOffset: this.read.get(user) ?? 0,
      lastOffset: this.last,
      epoch: this.epoch,
      role: 'member',
      ...(this.muted ? { muted: true } : {}),
      createdAt: this.createdAt,
    };
  }
}
