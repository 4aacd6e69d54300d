/** The list of rooms when there are none to show. */

import type { ChatError } from '@allibe/client';
import { useState } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { Button } from '../ui/Button.js';
import { Icon } from '../ui/Icon.js';
import { State } from '../ui/State.js';
import { Bubbles } from './Bubbles.js';
import './states.css';
import '../ui/Skeleton.css';

export function ListSkeleton() {
  const { t } = useWords();
  return (
    <div className="list-skeleton" role="status">
      <span className="visually-hidden">{t.loading}</span>
      {[72, 48, 64, 40, 56, 60].map((width) => (
        <span key={width} className="list-skeleton__row">
          <span className="skeleton list-skeleton__avatar" />
          <span className="skeleton" style={{ inlineSize: `${width * 0.7}%`, blockSize: 14 }} />
          <span className="skeleton" style={{ inlineSize: `${width}%`, blockSize: 12 }} />
        </span>
      ))}
    </div>
  );
}

export function ListEmpty({ onCreate }: { onCreate: () => void }) {
  const { t } = useWords();
  return (
    <State picture={<Bubbles size={120} />} title={t.rooms.emptyTitle} hint={t.rooms.emptyHint}>
      <Button look="primary" icon="plus" onClick={onCreate}>
        {t.rooms.create}
      </Button>
    </State>
  );
}

interface ListErrorProps {
  readonly error: ChatError | null;
  readonly onRetry: () => Promise<void>;
  readonly onSignOut: () => void;
}

export function ListError({ error, onRetry, onSignOut }: ListErrorProps) {
  const { t } = useWords();
  const [busy, setBusy] = useState(false);
  const signedOut = error !== null && (error.status === 401 || error.code.startsWith('token_'));

  const retry = async () => {
    setBusy(true);
    await onRetry().catch(() => {});
    setBusy(false);
  };

  return (
    <State
      alert
      picture={<Icon name={error?.code === 'network' ? 'wifiOff' : 'alert'} size={40} />}
      title={t.rooms.errorTitle}
      hint={errorText(t, error ?? { code: 'other' })}
    >
      {signedOut ? (
        <Button look="primary" onClick={onSignOut}>
          {t.connection.signInAgain}
        </Button>
      ) : (
        <Button icon="retry" busy={busy} onClick={retry}>
          {t.retry}
        </Button>
      )}
    </State>
  );
}
