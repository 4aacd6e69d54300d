/**
 * The session of this tab: an account and its client. Outside of React, since a client outlives
 * renders and must be made and closed once.
 */

import { ChatClient } from '@allibe/client';
import { pushesOf } from '../notifications/push.js';
import { Value } from '../ui/stored.js';
import { type Account, keepAccount, keptAccount } from './account.js';
import { askedUser, forgetAskedUser } from './asked-user.js';
import { tokensFor } from './demo.js';

export interface Session {
  readonly account: Account;
  readonly client: ChatClient;
}

export class Sessions {
  readonly current: Value<Session | null>;
  readonly #connect: (account: Account) => ChatClient;

  constructor(connect: (account: Account) => ChatClient = connectTo) {
    this.#connect = connect;
    // Another user than the one that is kept: the sign-in screen sees to it.
    const asked = askedUser(window.location);
    const kept = keptAccount();
    const account = asked === null || asked === kept?.user ? kept : null;
    if (account) forgetAskedUser();
    this.current = new Value(account && { account, client: connect(account) });
  }

  signIn(account: Account): void {
    this.current.get()?.client.close();
    keepAccount(account);
    this.current.set({ account, client: this.#connect(account) });
  }

  signOut(): void {
    const session = this.current.get();
    if (session) {
      void pushesOf(session.client, session.account.user).signOut();
      session.client.close();
    }
    keepAccount(null);
    this.current.set(null);
  }
}

function connectTo(account: Account): ChatClient {
  return new ChatClient({ url: window.location.origin, getToken: tokensFor(account) });
}
