import { isolated } from '../i18n/bidi.js';
import { useWords } from '../i18n/language.js';
import { useMe } from '../people/people.js';
import { Bubbles } from '../rooms/Bubbles.js';
import { Button } from '../ui/Button.js';
import { State } from '../ui/State.js';

interface WelcomeProps {
  /** Where there are none, the list says what to do. */
  readonly hasRooms: boolean;
  readonly onCreate: () => void;
}

/** What stands beside the list while no room is open. */
export function Welcome({ hasRooms, onCreate }: WelcomeProps) {
  const { t } = useWords();
  const me = useMe();
  return (
    <div className="welcome">
      <State
        picture={<Bubbles size={180} />}
        title={t.rooms.welcomeTitle(isolated(me.name))}
        {...(hasRooms && { hint: t.rooms.welcomeHint })}
      >
        {hasRooms && (
          <Button icon="plus" onClick={onCreate}>
            {t.rooms.create}
          </Button>
        )}
      </State>
    </div>
  );
}
