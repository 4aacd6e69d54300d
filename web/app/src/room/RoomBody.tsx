/** What stands between the room's head and the composer, in each of the room's states. */

import type { Member } from '@allibe/client';
import type { UseRoomResult } from '@allibe/react';
import { useMemo, useState } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { useMe } from '../people/people.js';
import { Bubbles } from '../rooms/Bubbles.js';
import { forgetRoom } from '../routing/route.js';
import { Button } from '../ui/Button.js';
import { Icon } from '../ui/Icon.js';
import { State } from '../ui/State.js';
import type { OlderState } from './OlderRow.js';
import { useReaders } from './readers.js';
import { RowBuilder } from './rows.js';
import { Timeline } from './Timeline.js';
import { reaches, unreadAfter, useReachesUnread } from './unread.js';

interface RoomBodyProps {
  readonly room: UseRoomResult;
  readonly name: string;
  /** Null until they are loaded. */
  readonly members: readonly Member[] | null;
  readonly onAtEnd: (atEnd: boolean) => void;
}

export function RoomBody({ room, name, members, onAtEnd }: RoomBodyProps) {
  const { t } = useWords();
  const { user } = useMe();
  const [builder] = useState(() => new RowBuilder());
  const { messages, outbox, resend, discard, loadOlder } = room;
  const after = unreadAfter(room);
  // Else the line would stand above the oldest message that happens to be there, and move.
  const line = after !== null && reaches(room, after) ? after : null;
  const rows = useMemo(
    () => builder.build({ messages, outbox, user, unreadAfter: line }),
    [builder, messages, outbox, user, line],
  );
  const actions = useMemo(() => ({ resend, discard }), [resend, discard]);
  const older = useMemo<OlderState>(
    () => ({
      hasOlder: room.hasOlder,
      failed: room.olderError !== null && !room.loadingOlder,
      canLoad: room.hasOlder && !room.loadingOlder && room.olderError === null,
      load: () => void loadOlder(),
    }),
    [room.hasOlder, room.loadingOlder, room.olderError, loadOlder],
  );
  const reached = useReachesUnread(room, after);
  const readersOf = useReaders(room.roomId, members);

  if (room.status === 'error') return <LoadFailed room={room} />;
  if (room.status === 'ended' && rows.length === 0) return <Ended />;
  if (room.status === 'loading' || !reached) return <RoomSkeleton />;
  if (rows.length === 0) {
    return (
      <div className="room-state">
        <State picture={<Bubbles size={140} />} title={t.room.emptyTitle} hint={t.room.emptyHint} />
      </div>
    );
  }
  return (
    <Timeline
      roomName={name}
      rows={rows}
      older={older}
      actions={actions}
      readersOf={readersOf}
      onAtEnd={onAtEnd}
    />
  );
}

function LoadFailed({ room }: { room: UseRoomResult }) {
  const { t } = useWords();
  return (
    <div className="room-state">
      <State
        alert
        picture={<Icon name="alert" size={40} />}
        title={t.room.errorTitle}
        hint={errorText(t, room.error ?? { code: 'other' })}
      >
        <Button icon="retry" onClick={room.reload}>
          {t.retry}
        </Button>
      </State>
    </div>
  );
}

function Ended() {
  const { t } = useWords();
  return (
    <div className="room-state">
      <State
        alert
        picture={<Icon name="leave" size={40} />}
        title={t.room.endedTitle}
        hint={t.room.endedHint}
      >
        <Button onClick={forgetRoom}>{t.room.backToRooms}</Button>
      </State>
    </div>
  );
}

/** Bubbles without words, about as they will stand. */
function RoomSkeleton() {
  const { t } = useWords();
  return (
    <div className="room-skeleton" role="status">
      <span className="visually-hidden">{t.loading}</span>
      {[46, 62, 38, -52, -30, 58, 44, -48].map((width) => (
        <span
          key={width}
          className={width < 0 ? 'skeleton room-skeleton__own' : 'skeleton'}
          style={{ inlineSize: `${Math.abs(width)}%`, blockSize: 38 }}
        />
      ))}
    </div>
  );
}
