/** Says new messages of others to screen readers, as they arrive and no others. */

import { useChatClient } from '@allibe/react';
import { useEffect, useState } from 'react';
import { useWords } from '../i18n/language.js';
import { usePeople } from '../people/people.js';
import { type Announcement, Announcer } from './announcements.js';

export function LiveMessages({ roomId }: { roomId: string }) {
  const { t } = useWords();
  const client = useChatClient();
  const { me, nameOf } = usePeople();
  const [said, setSaid] = useState<(Announcement & { readonly id: number }) | null>(null);

  useEffect(() => {
    const announcer = new Announcer((announcement) => {
      setSaid((before) => ({ ...announcement, id: (before?.id ?? 0) + 1 }));
    });
    const stop = client.on('message', (message) => {
      if (message.roomId !== roomId || message.sender === me.user) return;
      if (message.type !== 'message') return;
      announcer.add({ sender: message.sender, text: message.content });
    });
    return () => {
      stop();
      announcer.stop();
    };
  }, [client, roomId, me.user]);

  return (
    <div className="visually-hidden" aria-live="polite" data-testid="announcer">
      {said && (
        // Another element each time: the same words once more would be no change to read aloud.
        <span key={said.id}>
          {said.count === 1
            ? t.room.announce(nameOf(said.sender), said.text)
            : t.room.announceMany(said.count, nameOf(said.sender), said.text)}
        </span>
      )}
    </div>
  );
}
