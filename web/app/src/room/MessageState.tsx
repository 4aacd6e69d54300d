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

export function MessageState({ state }: { state: Entry['state'] }) {
  const { t } = useWords();
  const words = t.room[state === 'arrived' ? 'sent' : state];
  return (
    <span className={`message-state message-state--${state}`} title={words}>
      <Icon name={ICONS[state]} size={14} />
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
