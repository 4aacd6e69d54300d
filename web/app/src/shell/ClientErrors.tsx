import { useChatClient } from '@allibe/react';
import { useEffect, useEffectEvent } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { useToast } from '../ui/Toasts.js';

/** Shows what the client reports and nothing else on the page tells of. */
export function ClientErrors() {
  const { t } = useWords();
  const client = useChatClient();
  const toast = useToast();
  const show = useEffectEvent((error: { code: string }) => toast(errorText(t, error)));
  useEffect(() => client.on('error', (error) => show(error)), [client]);
  return null;
}
