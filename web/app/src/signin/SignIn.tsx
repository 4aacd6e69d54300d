/** The first screen: pick a user of the demo, or paste an access token. */

import { useEffect, useState } from 'react';
import { useWords } from '../i18n/language.js';
import { SettingsButton } from '../preferences/Settings.js';
import type { Account } from '../session/account.js';
import { askedUser, forgetAskedUser } from '../session/asked-user.js';
import { type DemoUser, demoUsers } from '../session/demo.js';
import { Button } from '../ui/Button.js';
import { Icon } from '../ui/Icon.js';
import { Logo } from '../ui/Logo.js';
import { State } from '../ui/State.js';
import { TokenForm } from './TokenForm.js';
import { UserCards } from './UserCards.js';
import './SignIn.css';

interface SignInProps {
  readonly onSignIn: (account: Account) => void;
}

type Way = 'loading' | 'failed' | 'token' | readonly DemoUser[];

export function SignIn({ onSignIn }: SignInProps) {
  const { t } = useWords();
  const [attempt, setAttempt] = useState(0);
  const way = useWayIn(attempt, onSignIn);

  return (
    <div className="sign-in">
      <div className="sign-in__corner">
        <SettingsButton />
      </div>
      <header className="sign-in__brand">
        <Logo size={56} />
        <h1 className="sign-in__name">Allibe</h1>
        <p className="sign-in__tagline">{t.signIn.tagline}</p>
      </header>
      <main className="sign-in__card" aria-busy={way === 'loading'}>
        {way === 'loading' && <Loading />}
        {way === 'failed' && (
          <State alert picture={<Icon name="wifiOff" size={40} />} title={t.signIn.unreachable}>
            <Button icon="retry" onClick={() => setAttempt(attempt + 1)}>
              {t.retry}
            </Button>
          </State>
        )}
        {way === 'token' && <TokenForm onSignIn={onSignIn} />}
        {typeof way === 'object' && (
          <UserCards
            users={way}
            onPick={({ user, name }) => onSignIn({ kind: 'demo', user, name })}
          />
        )}
      </main>
      <footer>
        <ul className="sign-in__features">
          {[t.signIn.feature1, t.signIn.feature2, t.signIn.feature3].map((feature) => (
            <li key={feature}>
              <Icon name="check" size={16} />
              {feature}
            </li>
          ))}
        </ul>
      </footer>
    </div>
  );
}

/** Asks the server for its demo users; one whom the address asks for is signed in at once. */
function useWayIn(attempt: number, onSignIn: (account: Account) => void): Way {
  const [way, setWay] = useState<Way>('loading');
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt asks again
  useEffect(() => {
    const asked = new AbortController();
    setWay('loading');
    demoUsers(asked.signal).then(
      (users) => {
        if (asked.signal.aborted) return;
        const wanted = askedUser(window.location);
        const found = users?.find(({ user }) => user === wanted);
        forgetAskedUser();
        if (found) onSignIn({ kind: 'demo', user: found.user, name: found.name });
        else setWay(users ?? 'token');
      },
      () => {
        if (!asked.signal.aborted) setWay('failed');
      },
    );
    return () => asked.abort();
  }, [attempt, onSignIn]);
  return way;
}

function Loading() {
  const { t } = useWords();
  return (
    <div className="sign-in__loading">
      <span className="visually-hidden">{t.loading}</span>
      <span className="skeleton sign-in__bone sign-in__bone--title" />
      <span className="skeleton sign-in__bone" />
      <span className="skeleton sign-in__bone" />
      <span className="skeleton sign-in__bone" />
    </div>
  );
}
