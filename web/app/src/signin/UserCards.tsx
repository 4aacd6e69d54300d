import { useWords } from '../i18n/language.js';
import type { DemoUser } from '../session/demo.js';
import { Avatar } from '../ui/Avatar.js';
import { Icon } from '../ui/Icon.js';

interface UserCardsProps {
  readonly users: readonly DemoUser[];
  readonly onPick: (user: DemoUser) => void;
}

/** The users of the demo, to become one of them. */
export function UserCards({ users, onPick }: UserCardsProps) {
  const { t } = useWords();
  return (
    <>
      <h2 className="sign-in__title">{t.signIn.chooseTitle}</h2>
      <p className="sign-in__hint">{t.signIn.chooseHint}</p>
      <ul className="user-cards">
        {users.map((user) => (
          <li key={user.user}>
            <button type="button" className="user-card" onClick={() => onPick(user)}>
              <Avatar id={user.user} name={user.name} size={48} />
              <span className="user-card__names">
                <span className="user-card__name">
                  <bdi>{user.name}</bdi>
                </span>
                <span className="user-card__id">@{user.user}</span>
              </span>
              <span className="user-card__go">
                <Icon name="back" />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
