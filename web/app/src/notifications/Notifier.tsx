/** Browser notifications for messages that nobody sees. Renders nothing. */

import type { Message, Room } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useEffect, useEffectEvent } from 'react';
import { useWords } from '../i18n/language.js';
import { usePeople } from '../people/people.js';
import { openRoom } from '../routing/route.js';
import { notify } from './permission.js';
import { useNotify } from './use-notify.js';

const LONGEST = 240;

export function Notifier({ rooms }: { rooms: readonly Room[] }) {
  const { t } = useWords();
  const client = useChatClient();
  const { me, nameOf } = usePeople();
  const isOn = useNotify();

  const tell = useEffectEvent(({ roomId, sender, senderName, content }: Message) => {
    if (sender === me.user) return;
    notify({
      title: rooms.find((room) => room.roomId === roomId)?.name ?? 'Allibe',
      body: t.notifications.body(senderName ?? nameOf(sender), content.slice(0, LONGEST)),
      tag: roomId,
      onClick: () => openRoom(roomId),
    });
  });

  useEffect(() => {
    if (!isOn) return;
    const stops = [
      // In a room that is not on the screen.
      client.on('notification', ({ message }) => tell(message)),
      // In the one that is, while the screen is not.
      client.on('message', (message) => {
        if (document.hidden) tell(message);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, isOn]);

  return null;
}
