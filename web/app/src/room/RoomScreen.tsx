/**
 * A room on the screen. Mounted, it is entered: the connection is up. Unmounted, it is left, and
 * nothing of it stays.
 */

import type { Room } from '@allibe/client';
import { useRoom } from '@allibe/react';
import { memo, useEffect, useRef, useState } from 'react';
import { useWords } from '../i18n/language.js';
import { MembersPanel } from '../members/MembersPanel.js';
import { useFreshMembers } from '../members/use-fresh-members.js';
import { useMembers } from '../members/use-members.js';
import { useNamesFrom } from '../people/people.js';
import { useMedia, WIDE } from '../ui/media.js';
import { Composer, NoComposer } from './Composer.js';
import { LiveMessages } from './LiveMessages.js';
import { RoomBody } from './RoomBody.js';
import { RoomHeader } from './RoomHeader.js';
import { useEscape } from './use-escape.js';
import { useReadMarker } from './use-read-marker.js';
import { WhoTypes } from './WhoTypes.js';
import './RoomScreen.css';

interface RoomScreenProps {
  readonly roomId: string;
  /** As the list knows it: the name is there before the room is loaded. */
  readonly known: Room | undefined;
}

/** Not rendered again for what happens in other rooms. */
export const RoomScreen = memo(function RoomScreen({ roomId, known }: RoomScreenProps) {
  const { t } = useWords();
  const room = useRoom(roomId);
  const hasEnded = room.status === 'ended';
  const epoch = room.status === 'ready' ? (room.room?.epoch ?? null) : null;
  const members = useMembers(roomId, epoch);
  useFreshMembers(roomId, room.live, members);
  const [membersOpen, setMembersOpen] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const setAtEnd = useReadMarker(room);
  const name = known?.name ?? room.room?.name ?? (hasEnded ? roomId : t.loading);
  useNamesFrom(room.messages);
  useEscape();

  // On a phone the composer would bring up the keyboard, over the messages one came to read.
  const wide = useMedia(WIDE);
  const focusesField = useRef(wide);
  useEffect(() => {
    const target = focusesField.current && field.current ? field : heading;
    target.current?.focus({ preventScroll: true });
  }, []);

  return (
    <>
      <RoomHeader
        roomId={roomId}
        name={name}
        memberCount={members.list?.length ?? null}
        hasEnded={hasEnded}
        muted={(known ?? room.room)?.muted === true}
        heading={heading}
        onMembers={() => setMembersOpen(true)}
      />
      <RoomBody room={room} name={name} members={members.list} onAtEnd={setAtEnd} />
      {!hasEnded && <WhoTypes roomId={roomId} />}
      {hasEnded ? (
        room.messages.length > 0 && <NoComposer />
      ) : (
        <Composer
          roomId={roomId}
          roomName={name}
          field={field}
          onSend={room.send}
          onType={room.typing}
        />
      )}
      <LiveMessages roomId={roomId} />
      {membersOpen && !hasEnded && (
        <MembersPanel
          roomId={roomId}
          role={known?.role ?? room.room?.role ?? 'member'}
          members={members}
          onClose={() => setMembersOpen(false)}
        />
      )}
    </>
  );
});
