/**
 * How far the user has read, as this client knows it: a read marker is on its way to the server for a
 * moment, or waits for a connection, and what the server says meanwhile is behind it.
 */

import type { Room } from '../types.js';

export interface ReadPosition {
  readonly roomId: string;
  readonly epoch: string;
  readonly offset: number;
}

/** One position per room that was read in; forgotten when another user signs in. */
export class ReadMemory {
  readonly #positions = new Map<string, ReadPosition>();
  #user: string | null = null;

  /** Told whose token came. */
  belongsTo(user: string | null): void {
    if (user !== this.#user) this.#positions.clear();
    this.#user = user;
  }

  note(position: ReadPosition): void {
    const { roomId, epoch, offset } = position;
    const known = this.#positions.get(roomId);
    if (known?.epoch === epoch && known.offset >= offset) return;
    this.#positions.set(roomId, position);
  }

  /** The room as the server tells it, with what the user has read since. */
  applied(room: Room): Room {
    const known = this.#positions.get(room.roomId);
    if (known?.epoch !== room.epoch) return room;
    const readOffset = Math.min(known.offset, room.lastOffset);
    if (readOffset <= room.readOffset) return room;
    return {
      ...room,
      readOffset,
      unreadCount: readOffset < room.lastOffset ? room.unreadCount : 0,
    };
  }
}
