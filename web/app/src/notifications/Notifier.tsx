/**
 * Browser notifications for messages that the user sees nowhere. The server knows who looks, on
 * whichever device, so what it tells of is shown. Renders nothing.
 */

import type { Room } from '@allibe/client';
import { useChatClient } from '@allibe/react';
import { useEffect, useEffectEvent } from 'react';
import { isolated } from '../i18n/bidi.js';
import { useWords } from '../i18n/language.js';
import { usePeople } from '../people/people.js';
import { openRoom } from '../routing/route.js';
import { type Gathered, Gatherer } from './gatherer.js';
import { notify } from './permission.js';
import { useNotify } from './use-notify.js';

const LONGEST = 240;

export function Notifier({ rooms }: { rooms: readonly Room[] }) {
  const { t } = useWords();
  const client = useChatClient();
  const { me, nameOf } = usePeople();
  const isOn = useNotify();

  const tell = useEffectEvent(({ message, count }: Gathered) => {
    const { roomId, sender, senderName } = message;
    const by = isolated(senderName ?? nameOf(sender));
    const text = message.content.slice(0, LONGEST);
    notify({
      title: rooms.find((room) => room.roomId === roomId)?.name ?? 'Allibe',
      body:
        count === 1 ? t.notifications.body(by, text) : t.notifications.bodyMany(count, by, text),
      tag: roomId,
      onClick: () => openRoom(roomId),
    });
  });

  useEffect(() => {
    if (!isOn) return;
    const gatherer = new Gatherer((gathered) => tell(gathered));
    const stop = client.on('notification', ({ message }) => {
      if (message.type === 'message' && message.sender !== me.user) gatherer.add(message);
    });
    return () => {
      stop();
      gatherer.stop();
    };
  }, [client, isOn, me.user]);

  return null;
}
