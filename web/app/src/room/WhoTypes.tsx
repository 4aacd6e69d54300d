/** Who else is writing. Its line is always there: what one reads must not move for it. */

import { useActivity } from '@allibe/react';
import { useWords } from '../i18n/language.js';
import { usePeople } from '../people/people.js';
import { few } from './few.js';
import './WhoTypes.css';

export function WhoTypes({ roomId }: { roomId: string }) {
  const { t } = useWords();
  const { nameOf } = usePeople();
  const { typing } = useActivity(roomId);
  const names = new Map(typing.map(({ user, name }) => [user, name ?? nameOf(user)]));
  const shown = few([...names.keys()], (user) => names.get(user) ?? user);
  return (
    <p className="typing" dir="auto">
      {typing.length > 0 && (
        <span className="typing__one">
          <span className="typing__dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {t.room.typing(shown)}
        </span>
      )}
    </p>
  );
}
