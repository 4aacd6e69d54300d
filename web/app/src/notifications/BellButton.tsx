import { useState } from 'react';
import { useWords } from '../i18n/language.js';
import { choose } from '../preferences/preferences.js';
import { IconButton } from '../ui/Button.js';
import { useToast } from '../ui/Toasts.js';
import { askPermission, permission } from './permission.js';
import { useNotify } from './use-notify.js';

/** Turns notifications on and off. The browser is asked on the press, never before. */
export function BellButton() {
  const { t } = useWords();
  const toast = useToast();
  const isOn = useNotify();
  const [asking, setAsking] = useState(false);

  const press = async () => {
    if (isOn) {
      choose({ notify: false });
      return;
    }
    setAsking(true);
    const answer = permission() === 'default' ? await askPermission() : permission();
    setAsking(false);
    if (answer === 'granted') choose({ notify: true });
    if (answer === 'denied') toast(t.notifications.blocked);
    if (answer === 'unsupported') toast(t.notifications.unsupported);
  };

  return (
    <IconButton
      icon={isOn ? 'bell' : 'bellOff'}
      // The label stays: `aria-pressed` says the state.
      label={t.notifications.label}
      hint={isOn ? t.notifications.onHint : t.notifications.offHint}
      aria-pressed={isOn}
      disabled={asking}
      onClick={() => void press()}
    />
  );
}
