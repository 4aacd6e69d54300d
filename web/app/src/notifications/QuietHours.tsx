/** The dialog for quiet hours: when nothing is pushed, on all of the user's devices. */

import { ChatError, type NotificationSettings } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useEffect, useState } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { Button } from '../ui/Button.js';
import { Dialog } from '../ui/Dialog.js';
import { Field } from '../ui/Field.js';
import './QuietHours.css';

type Hours = NonNullable<NotificationSettings['quietHours']>;

/** This device's. */
const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** What a new choice begins with. */
const USUAL = { from: '22:00', to: '07:00' };

export function QuietHours({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const { http } = useChatClient();
  /** Undefined: not known yet. Null: there are none. */
  const [hours, setHours] = useState<Hours | null | undefined>(undefined);
  /** Chosen abroad, they are to hold by this device's clock. */
  const [isHere, setHere] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const attempt = async (act: () => Promise<void>) => {
    setFailure(null);
    setBusy(true);
    try {
      await act();
    } catch (error) {
      setFailure(errorText(t, error instanceof ChatError ? error : { code: 'other' }));
    }
    setBusy(false);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, whatever the language
  useEffect(() => {
    void attempt(async () => setHours((await http.notificationSettings()).quietHours));
  }, [http]);

  const here = timeZone();
  const zone = isHere ? here : (hours?.timeZone ?? here);
  const isWrong = hours != null && (!hours.from || !hours.to || hours.from === hours.to);
  const save = () =>
    attempt(async () => {
      await http.changeNotificationSettings({
        quietHours: hours ? { ...hours, timeZone: zone } : null,
      });
      onClose();
    });

  return (
    <Dialog title={t.quietHours.title} onClose={onClose}>
      <form
        className="quiet-hours"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (hours !== undefined && !isWrong && !busy) void save();
        }}
      >
        <label className="quiet-hours__switch">
          <input
            type="checkbox"
            data-focus-first
            disabled={hours === undefined}
            checked={hours != null}
            onChange={({ target }) =>
              setHours(target.checked ? { ...USUAL, timeZone: timeZone() } : null)
            }
          />
          {t.quietHours.label}
        </label>
        <p className="field__hint">{t.quietHours.hint}</p>
        {hours && (
          <div className="quiet-hours__times">
            <Field
              type="time"
              label={t.quietHours.from}
              value={hours.from}
              onChange={({ target }) => setHours({ ...hours, from: target.value })}
            />
            <Field
              type="time"
              label={t.quietHours.to}
              value={hours.to}
              onChange={({ target }) => setHours({ ...hours, to: target.value })}
            />
          </div>
        )}
        {hours && <p className="field__hint">{t.quietHours.zone(zone)}</p>}
        {hours && hours.timeZone !== here && (
          <label className="quiet-hours__switch">
            <input
              type="checkbox"
              checked={isHere}
              onChange={({ target }) => setHere(target.checked)}
            />
            {t.quietHours.ownZone(here)}
          </label>
        )}
        {(failure ?? isWrong) && (
          <p className="field__error" role="alert">
            {failure ?? t.quietHours.wrong}
          </p>
        )}
        <div className="quiet-hours__actions">
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" type="submit" disabled={hours === undefined} busy={busy}>
            {t.quietHours.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
