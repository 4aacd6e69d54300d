import { useState } from 'react';
import { useWords } from '../i18n/language.js';
import { Button } from '../ui/Button.js';

/** Ends one's own membership; asks first, since it cannot be taken back alone. */
export function LeaveRoom({ onLeave }: { onLeave: () => Promise<void> }) {
  const { t } = useWords();
  const [asks, setAsks] = useState(false);
  const [busy, setBusy] = useState(false);

  const leave = async () => {
    setBusy(true);
    await onLeave();
    setBusy(false);
  };

  if (!asks) {
    return (
      <Button look="danger" icon="leave" className="members__leave" onClick={() => setAsks(true)}>
        {t.members.leave}
      </Button>
    );
  }
  return (
    <div className="confirm members__leave">
      <p>{t.members.leaveConfirm}</p>
      <div className="confirm__actions">
        <Button autoFocus onClick={() => setAsks(false)}>
          {t.cancel}
        </Button>
        <Button look="danger" busy={busy} onClick={() => void leave()}>
          {t.members.leave}
        </Button>
      </div>
    </div>
  );
}
