import type { RefObject } from 'react';
import { useWords } from '../i18n/language.js';
import { closeRoom } from '../routing/route.js';
import { Avatar } from '../ui/Avatar.js';
import { IconButton } from '../ui/Button.js';
import { MuteButton } from './MuteButton.js';
import './RoomHeader.css';
import { Faces, WhoIsHere } from './WhoIsHere.js';

interface RoomHeaderProps {
  readonly roomId: string;
  readonly name: string;
  /** Null until it is known. */
  readonly memberCount: number | null;
  readonly hasEnded: boolean;
  readonly muted: boolean;
  readonly heading: RefObject<HTMLHeadingElement | null>;
  readonly onMembers: () => void;
}

/** The room's name, who is in it, who is here, and the ways out. */
export function RoomHeader(props: RoomHeaderProps) {
  const { roomId, name, memberCount, hasEnded, muted, heading, onMembers } = props;
  const { t } = useWords();
  return (
    <header className="room-header">
      <IconButton
        icon="back"
        label={t.room.back}
        className="room-header__back"
        onClick={closeRoom}
      />
      <Avatar id={roomId} name={name} shape="room" size={40} />
      <div className="room-header__names">
        <h1 ref={heading} className="room-header__name" dir="auto" tabIndex={-1} title={name}>
          {name}
        </h1>
        {!hasEnded && (
          <div className="room-header__line">
            <button type="button" className="room-header__members" onClick={onMembers}>
              {memberCount === null ? t.room.members : t.room.memberCount(memberCount)}
            </button>
            <WhoIsHere roomId={roomId} />
          </div>
        )}
      </div>
      {!hasEnded && <Faces roomId={roomId} />}
      {!hasEnded && <MuteButton roomId={roomId} muted={muted} />}
      {!hasEnded && <IconButton icon="people" label={t.room.members} onClick={onMembers} />}
      <IconButton
        icon="close"
        label={t.room.leaveScreen}
        hint={t.room.leaveScreenHint}
        className="room-header__close"
        onClick={closeRoom}
      />
    </header>
  );
}
