/** The left side: who one is, the rooms, a new room. */

import type { RoomListSnapshot } from '@allibe/client';
import { useState } from 'react';
import { useWords } from '../i18n/language.js';
import { BellButton } from '../notifications/BellButton.js';
import { SettingsButton } from '../preferences/Settings.js';
import type { Account } from '../session/account.js';
import { IconButton } from '../ui/Button.js';
import { Icon } from '../ui/Icon.js';
import { filtered, WORTH_FILTERING } from './filter.js';
import { RoomList } from './RoomList.js';
import { ListEmpty, ListError, ListSkeleton } from './states.js';
import './RoomsPane.css';

interface RoomsPaneProps {
  readonly account: Account;
  readonly list: RoomListSnapshot & { reload(): Promise<void> };
  readonly openRoomId: string | null;
  readonly onCreate: () => void;
  readonly onSignOut: () => void;
}

export function RoomsPane({ account, list, openRoomId, onCreate, onSignOut }: RoomsPaneProps) {
  const { t } = useWords();
  const [filter, setFilter] = useState('');
  const filterable = list.rooms.length >= WORTH_FILTERING;
  const shown = filterable ? filtered(list.rooms, filter) : list.rooms;

  return (
    <nav className="rooms-pane" aria-label={t.rooms.title}>
      <header className="rooms-pane__head">
        <SettingsButton account={account} onSignOut={onSignOut} />
        <h1 id="rooms-title" className="rooms-pane__title" tabIndex={-1}>
          {t.rooms.title}
        </h1>
        <BellButton />
        <IconButton icon="plus" label={t.rooms.create} onClick={onCreate} />
      </header>
      {filterable && (
        <div className="rooms-pane__filter">
          <Icon name="search" size={18} />
          <input
            type="search"
            aria-label={t.rooms.filter}
            placeholder={t.rooms.filter}
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </div>
      )}
      <div className="rooms-pane__list">
        {list.rooms.length > 0 ? (
          <RoomList rooms={shown} openRoomId={openRoomId} />
        ) : list.status === 'ready' ? (
          <ListEmpty onCreate={onCreate} />
        ) : list.status === 'error' ? (
          <ListError error={list.error} onRetry={list.reload} onSignOut={onSignOut} />
        ) : (
          <ListSkeleton />
        )}
        {list.rooms.length > 0 && shown.length === 0 && (
          <p className="rooms-pane__none" role="status">
            {t.rooms.filterNone(filter.trim())}
          </p>
        )}
      </div>
    </nav>
  );
}
