import { describe, expect, it } from 'vitest';
import { fieldsOf, isEntry } from '../../src/room/entry.js';
import { message } from '../support/messages.js';

describe('an entry', () => {
  it('is a message, or what a server of tomorrow has in its log', () => {
    expect(isEntry(message(1))).toBe(true);
    expect(isEntry(message(Number.MAX_SAFE_INTEGER))).toBe(true);
    expect(isEntry({ type: 'call', roomId: '1', epoch: 'e1', offset: 7, minutes: 3 })).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'message'],
    ['a list', [message(1)]],
    ['an event', { type: 'removed', to: 'alice', roomId: '1' }],
    ['without a type', { ...message(1), type: undefined }],
    ['without a room', { ...message(1), roomId: undefined }],
    ['of a room that is no string', { ...message(1), roomId: 1 }],
    ['without an epoch', { ...message(1), epoch: undefined }],
    ['without an offset', { ...message(1), offset: undefined }],
    ['at a string', { ...message(1), offset: '1' }],
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53].map(
      (offset): [string, unknown] => [`at ${offset}`, message(offset)],
    ),
  ])('is not %s', (_, body) => {
    expect(isEntry(body)).toBe(false);
  });
});

describe('the fields of a body', () => {
  it('are those of an object, and none of anything else', () => {
    expect(fieldsOf({ a: 1 })).toEqual({ a: 1 });
    for (const body of [null, undefined, 'text', 7, true]) {
      expect(fieldsOf(body)).toEqual({});
    }
    expect(fieldsOf([]).type).toBeUndefined();
  });
});
