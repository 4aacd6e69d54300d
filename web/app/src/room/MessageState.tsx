/** What became of a message of one's own, and what to do when it was refused. */

import { errorText, useWords } from '../i18n/language.js';
import { Icon, type IconName } from '../ui/Icon.js';
import type { RowActions } from './MessageRow.js';
import type { Entry } from './rows.js';

const ICONS: Readonly<Record<Entry['state'], IconName>> = {
  pending: 'clock',
  sent: 'check',
  arrived: 'check',
  failed: 'alert',
};

interface MessageStateProps {
  readonly state: Entry['state'];
  readonly readCount: number;
  /** Null: nobody has read it. */
  readonly readBy: string | null;
}

export function MessageState({ state, readCount, readBy }: MessageStateProps) {
  const { t, format } = useWords();
  const words = readBy ?? t.room[state === 'arrived' ? 'sent' : state];
  return (
    <span className={`message-state message-state--${state}`} title={words}>
      {readCount > 1 && (
        <span className="message-state__count" aria-hidden="true">
          {format.count(readCount)}
        </span>
      )}
      <Icon name={readBy === null ? ICONS[state] : 'checks'} size={readBy === null ? 14 : 16} />
      <span className="visually-hidden">{words}</span>
    </span>
  );
}

interface FailedActionsProps {
  readonly entry: Entry;
  readonly actions: RowActions;
}

export function FailedActions({ entry, actions }: FailedActionsProps) {
  const { t } = useWords();
  const { clientMessageId, error } = entry;
  if (clientMessageId === null) return null;
  return (
    <div className="failed">
      <span className="failed__why">
        {t.room.failed}
        {error && `: ${errorText(t, error)}`}
      </span>
      <button
        type="button"
        className="failed__action"
        onClick={() => actions.resend(clientMessageId)}
      >
        <Icon name="retry" size={15} />
        {t.room.resend}
      </button>
      <button
        type="button"
        className="failed__action"
        onClick={() => actions.discard(clientMessageId)}
      >
        <Icon name="trash" size={15} />
        {t.room.discard}
      </button>
    </div>
  );
}
