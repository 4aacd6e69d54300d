/** Who else has the room on the screen: in words, and as faces where there is room for them. */

import { useActivity } from '@allibe/react';
import { useWords } from '../i18n/language.js';
import { useMe, usePeople } from '../people/people.js';
import { Avatar } from '../ui/Avatar.js';
import { few } from './few.js';
import './WhoIsHere.css';

/** More faces would be a crowd; the words say how many there are. */
const FACES = 3;

export function WhoIsHere({ roomId }: { roomId: string }) {
  const { t, format } = useWords();
  const { nameOf } = usePeople();
  const { others, count } = useOthers(roomId);
  if (count === 0) return null;
  const words =
    others === null ? t.room.hereMany(format.count(count)) : t.room.here(few(others, nameOf));
  return (
    <span className="here" dir="auto" title={words}>
      <span className="here__dot" aria-hidden="true" />
      {words}
    </span>
  );
}

/** Decoration: the words stand beside it. */
export function Faces({ roomId }: { roomId: string }) {
  const { nameOf } = usePeople();
  const { others } = useOthers(roomId);
  if (!others?.length) return null;
  return (
    <span className="faces" aria-hidden="true">
      {others.slice(0, FACES).map((user) => (
        <span key={user} className="faces__one" title={nameOf(user)}>
          <Avatar id={user} name={nameOf(user)} size={28} />
        </span>
      ))}
      {others.length > FACES && <span className="faces__more">+{others.length - FACES}</span>}
    </span>
  );
}

/** Null for who they are where they are too many to be named: then `count` is of all. */
function useOthers(roomId: string) {
  const { user } = useMe();
  const { users, count } = useActivity(roomId);
  if (users === null) return { others: null, count: count ?? 0 };
  const others = users.filter((one) => one !== user);
  return { others, count: others.length };
}
