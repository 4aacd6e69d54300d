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
import { onWorker, pushesOf } from './push.js';
import { useNotify } from './use-notify.js';

const LONGEST = 240;

export function Notifier({ rooms }: { rooms: readonly Room[] }) {
  const { t, language } = useWords();
  const client = useChatClient();
  const { me, nameOf } = usePeople();
  const isOn = useNotify();
  const pushes = pushesOf(client, me.user);

  const tell = useEffectEvent(async ({ notification, count }: Gathered) => {
    const { roomId, message } = notification;
    const { sender, senderName } = message;
    const room = rooms.find((one) => one.roomId === roomId);
    // Read meanwhile: the page was hidden a moment after.
    const isRead = room !== undefined && message.offset <= room.readOffset;
    if (isRead || room?.muted) return;
    const by = isolated(senderName ?? nameOf(sender));
    const text = message.content.slice(0, LONGEST);
    const shown = {
      title: room?.name ?? 'Allibe',
      body:
        count === 1 ? t.notifications.body(by, text) : t.notifications.bodyMany(count, by, text),
      tag: roomId,
      offset: message.offset,
      onClick: () => openRoom(roomId),
    };
    const worker = pushes.isOn() ? await navigator.serviceWorker.getRegistration() : undefined;
    await notify(shown, worker);
  });

  useEffect(() => {
    if (!isOn) return;
    const gatherer = new Gatherer((gathered) => void tell(gathered));
    const stop = client.on('notification', (notification) => {
      const { message } = notification;
      if (message.type === 'message' && message.sender !== me.user) gatherer.add(notification);
    });
    return () => {
      stop();
      gatherer.stop();
    };
  }, [client, isOn, me.user]);

  const resume = useEffectEvent(() => {
    if (isOn) void pushes.resume();
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the worker speaks the page's language
  useEffect(() => {
    resume();
    return onWorker('push-changed', () => resume());
  }, [pushes, language]);

  return null;
}
