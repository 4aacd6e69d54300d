/** The page: signed in or not, in the chosen language and theme. */

import { ChatProvider } from '@allibe/react';
import { useCallback, useEffect, useLayoutEffect } from 'react';
import { LanguageProvider } from './i18n/language.js';
import { onWorker } from './notifications/push.js';
import { PeopleProvider } from './people/people.js';
import { followOtherTabs, preferences } from './preferences/preferences.js';
import { forgetRoom, openRoom } from './routing/route.js';
import type { Account } from './session/account.js';
import type { Sessions } from './session/session.js';
import { Chat } from './shell/Chat.js';
import { SignIn } from './signin/SignIn.js';
import { applyTheme } from './theme/apply.js';
import { useValue } from './ui/stored.js';
import { Toasts } from './ui/Toasts.js';

export function App({ sessions }: { sessions: Sessions }) {
  const session = useValue(sessions.current);
  const { theme } = useValue(preferences);
  useLayoutEffect(() => applyTheme(theme), [theme]);
  useEffect(followOtherTabs, []);
  useEffect(openRoomOfClick, []);

  const signIn = useCallback((account: Account) => sessions.signIn(account), [sessions]);
  const signOut = useCallback(() => {
    sessions.signOut();
    forgetRoom();
  }, [sessions]);

  return (
    <LanguageProvider>
      {session === null ? (
        <SignIn onSignIn={signIn} />
      ) : (
        <ChatProvider key={session.account.user} client={session.client}>
          <PeopleProvider account={session.account}>
            <Toasts>
              <Chat account={session.account} onSignOut={signOut} />
            </Toasts>
          </PeopleProvider>
        </ChatProvider>
      )}
    </LanguageProvider>
  );
}

/** A click on a pushed notification comes to a page that is open. Returns what ends that. */
function openRoomOfClick(): () => void {
  return onWorker('open-room', (roomId) => {
    if (typeof roomId === 'string') openRoom(roomId);
  });
}
