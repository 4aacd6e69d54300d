/** All that a signed-in user sees: the rooms, the open room, and what goes on around them. */

import type { Room } from '@allibe/client';
import { useChatClient, useRooms } from '@allibe/react';
import { useCallback, useState } from 'react';
import { ConnectionBanner } from '../connection/ConnectionBanner.js';
import { useWords } from '../i18n/language.js';
import { Notifier } from '../notifications/Notifier.js';
import { useTitle } from '../notifications/title.js';
import { useNotify } from '../notifications/use-notify.js';
import { RoomScreen } from '../room/RoomScreen.js';
import { CreateRoom } from '../rooms/CreateRoom.js';
import { RoomsPane } from '../rooms/RoomsPane.js';
import { openRoom, useOpenRoom } from '../routing/route.js';
import type { Account } from '../session/account.js';
import { ClientErrors } from './ClientErrors.js';
import { useFocusOnLeaving } from './use-focus.js';
import { Welcome } from './Welcome.js';
import './Chat.css';

interface ChatProps {
  readonly account: Account;
  readonly onSignOut: () => void;
}

export function Chat({ account, onSignOut }: ChatProps) {
  const { t } = useWords();
  const client = useChatClient();
  const openRoomId = useOpenRoom();
  const list = useRooms({ live: useNotify() });
  const [creating, setCreating] = useState(false);
  useTitle(list, openRoomId, account.user);
  useFocusOnLeaving(openRoomId);

  const stopCreating = useCallback(() => setCreating(false), []);
  const created = (room: Room) => {
    setCreating(false);
    client.rooms.add(room);
    openRoom(room.roomId);
  };

  return (
    <div className="chat" data-room-open={openRoomId !== null}>
      <button
        type="button"
        className="skip"
        onClick={() => document.getElementById('conversation')?.focus()}
      >
        {t.rooms.skip}
      </button>
      <ConnectionBanner onSignOut={onSignOut} />
      <main className="chat__panes">
        <RoomsPane
          account={account}
          list={list}
          openRoomId={openRoomId}
          onCreate={() => setCreating(true)}
          onSignOut={onSignOut}
        />
        <section
          id="conversation"
          className="chat__main"
          aria-label={t.rooms.conversation}
          tabIndex={-1}
        >
          {openRoomId === null ? (
            <Welcome hasRooms={list.rooms.length > 0} onCreate={() => setCreating(true)} />
          ) : (
            <RoomScreen
              key={openRoomId}
              roomId={openRoomId}
              known={list.rooms.find(({ roomId }) => roomId === openRoomId)}
            />
          )}
        </section>
      </main>
      {creating && <CreateRoom onCreated={created} onClose={stopCreating} />}
      <Notifier rooms={list.rooms} />
      <ClientErrors />
    </div>
  );
}
