import type { Room } from '@allibe/client';
import { useRef } from 'react';
import { useReorder } from '../ui/use-reorder.js';
import { RoomEntry } from './RoomEntry.js';

interface RoomListProps {
  readonly rooms: readonly Room[];
  readonly openRoomId: string | null;
}

/** The rooms, the latest activity first; they glide when that changes. */
export function RoomList({ rooms, openRoomId }: RoomListProps) {
  const list = useRef<HTMLUListElement>(null);
  useReorder(list, rooms.map(({ roomId }) => roomId).join());
  return (
    <ul ref={list} className="room-list">
      {rooms.map((room) => (
        <li key={room.roomId} data-key={room.roomId}>
          <RoomEntry room={room} isOpen={room.roomId === openRoomId} />
        </li>
      ))}
    </ul>
  );
}
