import { describe, expect, it } from 'vitest';
import { ReadMemory } from '../../src/room/read-memory.js';
import type { Room } from '../../src/types.js';
import { ROOM } from '../support/entered.js';

const TOLD: Room = { ...ROOM, readOffset: 2, lastOffset: 5, unreadCount: 3 };

function noted(offset: number, epoch = TOLD.epoch): ReadMemory {
  const memory = new ReadMemory();
  memory.belongsTo('alice');
  memory.note({ roomId: TOLD.roomId, epoch, offset });
  return memory;
}

describe('what the user has read', () => {
  it.each([
    [5, { readOffset: 5, unreadCount: 0 }],
    [4, { readOffset: 4, unreadCount: 3 }],
    [2, { readOffset: 2, unreadCount: 3 }],
    [1, { readOffset: 2, unreadCount: 3 }],
    [9, { readOffset: 5, unreadCount: 0 }],
  ])('up to %d is put into what the server tells', (offset, expected) => {
    expect(noted(offset).applied(TOLD)).toMatchObject(expected);
  });

  it('moves forward only', () => {
    const memory = noted(5);
    memory.note({ roomId: TOLD.roomId, epoch: TOLD.epoch, offset: 3 });
    expect(memory.applied(TOLD)).toMatchObject({ readOffset: 5 });
  });

  it('means nothing in another log, another room, or for another user', () => {
    expect(noted(5, 'e2').applied(TOLD)).toBe(TOLD);
    const other = { ...TOLD, roomId: '2' };
    expect(noted(5).applied(other)).toBe(other);
    const memory = noted(5);
    memory.belongsTo('alice');
    expect(memory.applied(TOLD)).not.toBe(TOLD);
    memory.belongsTo('bob');
    expect(memory.applied(TOLD)).toBe(TOLD);
  });
});
