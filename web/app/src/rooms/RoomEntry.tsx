import type { Room } from '@allibe/client';
import { type MouseEvent, memo } from 'react';
import { useWords } from '../i18n/language.js';
import { useMe, useName } from '../people/people.js';
import { useDraft } from '../room/drafts.js';
import { addressOf, openRoom } from '../routing/route.js';
import { Avatar } from '../ui/Avatar.js';
import { useToday } from '../ui/clock.js';
import { Icon } from '../ui/Icon.js';
import { Time } from '../ui/Time.js';
import './RoomEntry.css';

interface RoomEntryProps {
  readonly room: Room;
  readonly isOpen: boolean;
}

/** Where the focus goes when the room is closed. */
export function entryId(roomId: string): string {
  return `room-entry-${roomId}`;
}

/** One room in the list: a link, so that it can be opened in a new tab too. */
export const RoomEntry = memo(function RoomEntry({ room, isOpen }: RoomEntryProps) {
  const { t, format } = useWords();
  const today = useToday();
  const at = Date.parse(room.lastMessageAt ?? room.createdAt);
  const unread = room.unreadCount;

  const open = (event: MouseEvent) => {
    // With a modifier it is the browser's: a new tab, a download.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    openRoom(room.roomId);
  };

  return (
    <a
      id={entryId(room.roomId)}
      className="room-entry"
      href={addressOf(room.roomId)}
      aria-current={isOpen ? 'page' : undefined}
      onClick={open}
    >
      <Avatar id={room.roomId} name={room.name} shape="room" size={48} />
      <span className="room-entry__top">
        <span className="room-entry__name" dir="auto">
          {room.name}
        </span>
        <Time className="room-entry__time" at={at}>
          {format.short(at, today)}
        </Time>
      </span>
      <span className="room-entry__below">
        <Preview room={room} isOpen={isOpen} />
        {room.muted && (
          <span className="room-entry__muted" title={t.rooms.muted}>
            <Icon name="bellOff" size={16} />
            <span className="visually-hidden">{t.rooms.muted}</span>
          </span>
        )}
        {unread > 0 && (
          <span className="badge">
            <span aria-hidden="true">{unread > 999 ? '999+' : unread}</span>
            <span className="visually-hidden">{t.rooms.unread(unread)}</span>
          </span>
        )}
      </span>
    </a>
  );
});

function Preview({ room, isOpen }: RoomEntryProps) {
  const { t } = useWords();
  const { user } = useMe();
  const draft = useDraft(user, room.roomId);
  const sender = useName(room.lastMessageSender);
  if (draft.trim() !== '' && !isOpen) {
    return (
      <span className="room-entry__text" dir="auto">
        <bdi className="room-entry__draft">{t.rooms.draft}</bdi> {oneLine(draft)}
      </span>
    );
  }
  if (room.lastMessage === null) {
    return <span className="room-entry__text">{t.rooms.noMessages}</span>;
  }
  const by = room.lastMessageSender === user ? t.you : sender;
  return (
    // The text says in which direction it runs: `dir` looks past what is in <bdi>.
    <span className="room-entry__text" dir="auto">
      {by !== null && (
        <>
          <bdi>{by}</bdi>
          {': '}
        </>
      )}
      {oneLine(room.lastMessage) || t.room.erased}
    </span>
  );
}

function oneLine(text: string): string {
  return text.slice(0, 200).replace(/\s+/gu, ' ').trim();
}
