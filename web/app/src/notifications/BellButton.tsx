import { useChatClient } from '@allibe/react';
import { useState } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { useMe } from '../people/people.js';
import { choose } from '../preferences/preferences.js';
import { IconButton } from '../ui/Button.js';
import { useToast } from '../ui/Toasts.js';
import { askPermission, permission } from './permission.js';
import { pushesOf } from './push.js';
import { useNotify } from './use-notify.js';

/** Turns notifications on and off. The browser is asked on the press, never before. */
export function BellButton() {
  const { t } = useWords();
  const toast = useToast();
  const pushes = pushesOf(useChatClient(), useMe().user);
  const isOn = useNotify();
  const [asking, setAsking] = useState(false);

  const press = async () => {
    if (isOn) {
      choose({ notify: false });
      await pushes.disable();
      return;
    }
    setAsking(true);
    const answer = permission() === 'default' ? await askPermission() : permission();
    setAsking(false);
    if (answer === 'granted') {
      choose({ notify: true });
      const code = await pushes.enable();
      // On, or not to be had here: then notifications come while the page is open.
      if (Object.hasOwn(t.errors, code)) toast(errorText(t, { code }));
    }
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
