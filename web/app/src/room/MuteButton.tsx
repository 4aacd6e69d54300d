import { ChatError } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useState } from 'react';
import { errorText, useWords } from '../i18n/language.js';
import { IconButton } from '../ui/Button.js';
import { useToast } from '../ui/Toasts.js';

interface MuteButtonProps {
  readonly roomId: string;
  readonly muted: boolean;
}

/** Mutes the room: no notifications of it, on all of the user's devices. */
export function MuteButton({ roomId, muted }: MuteButtonProps) {
  const { t } = useWords();
  const { rooms } = useChatClient();
  const toast = useToast();
  const [busy, setBusy] = useState(false);

  const press = async () => {
    setBusy(true);
    try {
      await rooms.mute(roomId, !muted);
    } catch (error) {
      toast(errorText(t, error instanceof ChatError ? error : { code: 'other' }));
    }
    setBusy(false);
  };

  return (
    <IconButton
      icon={muted ? 'bellOff' : 'bell'}
      label={t.room.mute}
      hint={muted ? t.room.mutedHint : t.room.mute}
      aria-pressed={muted}
      disabled={busy}
      onClick={() => void press()}
    />
  );
}
