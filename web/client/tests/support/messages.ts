/** Messages and pages of history for tests that have no server. */

import type { HistoryPage, Message } from '../../src/index.js';

export function message(offset: number, more: Partial<Message> = {}): Message {
  return {
    type: 'message',
    roomId: '1',
    epoch: 'e1',
    offset,
    messageId: `id-${offset}`,
    sender: 'bob',
    content: `${offset}`,
    sentAt: '2026-01-05T09:00:00.000Z',
    ...more,
  };
}

/** Messages from one offset to another, both included. */
export function messages(from: number, to: number, more: Partial<Message> = {}): Message[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) =>
    message(from + index, more),
  );
}

/** A page of a log that begins at offset 1. */
export function page(from: number, to: number, lastOffset = to, epoch = 'e1'): HistoryPage {
  const nextBefore = from > 1 ? { nextBefore: from } : {};
  return { messages: messages(from, to, { epoch }), epoch, lastOffset, ...nextBefore };
}
