import type { Room } from '@allibe/client';
import { useMemo, useRef } from 'react';
import { useReorder } from '../ui/use-reorder.js';
import { RoomEntry } from './RoomEntry.js';

interface RoomListProps {
  readonly rooms: readonly Room[];
  readonly openRoomId: string | null;
}

/** The rooms, the latest activity first; they glide when that changes. */
export function RoomList({ rooms, openRoomId }: RoomListProps) {
  const list = useRef<HTMLUListElement>(null);
  // As useReorder wants it: React's own order says nothing, and never changes.
  const byId = useMemo(() => rooms.toSorted((a, b) => (a.roomId < b.roomId ? -1 : 1)), [rooms]);
  useReorder(
    list,
    rooms.map(({ roomId }) => roomId),
  );
  return (
    <ul ref={list} className="room-list">
      {byId.map((room) => (
        <li key={room.roomId} data-key={room.roomId} className="room-list__item">
          <RoomEntry room={room} isOpen={room.roomId === openRoomId} />
        </li>
      ))}
    </ul>
  );
}
