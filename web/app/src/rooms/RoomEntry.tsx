import type { Room } from '@allibe/client';
import { type MouseEvent, memo } from 'react';
import { useWords } from '../i18n/language.js';
import { type People, usePeople } from '../people/people.js';
import { useDraft } from '../room/drafts.js';
import { addressOf, openRoom } from '../routing/route.js';
import { Avatar } from '../ui/Avatar.js';
import { useNow } from '../ui/clock.js';
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
  const now = useNow(60_000);
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
        <span className="room-entry__name">{room.name}</span>
        <time
          className="room-entry__time"
          dateTime={new Date(at).toISOString()}
          title={format.full(at)}
        >
          {format.short(at, now)}
        </time>
      </span>
      <span className="room-entry__below">
        <Preview room={room} isOpen={isOpen} />
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
  const people = usePeople();
  const draft = useDraft(people.me.user, room.roomId);
  if (draft.trim() !== '' && !isOpen) {
    return (
      <span className="room-entry__text">
        <span className="room-entry__draft">{t.rooms.draft}</span> {oneLine(draft)}
      </span>
    );
  }
  if (room.lastMessage === null) {
    return <span className="room-entry__text">{t.rooms.noMessages}</span>;
  }
  const sender = senderOf(room, people, t.you);
  const text = oneLine(room.lastMessage);
  return (
    <span className="room-entry__text">{sender === null ? text : t.rooms.said(sender, text)}</span>
  );
}

function senderOf({ lastMessageSender }: Room, people: People, you: string): string | null {
  if (lastMessageSender === null) return null;
  return lastMessageSender === people.me.user ? you : people.nameOf(lastMessageSender);
}

function oneLine(text: string): string {
  return text.slice(0, 200).replace(/\s+/gu, ' ').trim();
}
