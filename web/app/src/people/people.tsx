/**
 * Who is who. Members and last messages name users by id only; names come with messages, and in a
 * demo with its users. What was learned lasts as long as the page.
 */

import type { Message } from '@allibe/client';
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Dictionary } from '../i18n/dictionary.js';
import { useWords } from '../i18n/language.js';
import type { Account } from '../session/account.js';
import { demoUsers } from '../session/demo.js';
import { useValue, Value } from '../ui/stored.js';

/** The sender of what was erased with its sender. No user can be called so. */
const FORGOTTEN = '*deleted*';

export class Names {
  readonly known = new Value<ReadonlyMap<string, string>>(new Map());

  learn(pairs: Iterable<readonly [user: string, name: string | undefined]>): void {
    let learned: Map<string, string> | null = null;
    for (const [user, name] of pairs) {
      if (!name || (learned ?? this.known.get()).get(user) === name) continue;
      learned ??= new Map(this.known.get());
      learned.set(user, name);
    }
    if (learned) this.known.set(learned);
  }
}

export interface People {
  readonly me: { readonly user: string; readonly name: string };
  /** The name, or the id where no name is known. */
  nameOf(user: string): string;
  /** All of whom a name is known, without oneself. */
  readonly others: readonly string[];
}

interface PeopleSource {
  readonly me: People['me'];
  readonly names: Names;
}

const PeopleContext = createContext<PeopleSource | null>(null);

export function PeopleProvider({ account, children }: { account: Account; children: ReactNode }) {
  const [source] = useState<PeopleSource>(() => {
    const names = new Names();
    names.learn([[account.user, account.name]]);
    return { me: { user: account.user, name: account.name }, names };
  });
  const isDemo = account.kind === 'demo';

  useEffect(() => {
    if (!isDemo) return;
    const asked = new AbortController();
    demoUsers(asked.signal)
      .then((users) => source.names.learn((users ?? []).map(({ user, name }) => [user, name])))
      // Without it there are ids in place of names, until messages bring the names.
      .catch(() => {});
    return () => asked.abort();
  }, [isDemo, source]);

  return <PeopleContext.Provider value={source}>{children}</PeopleContext.Provider>;
}

export function usePeople(): People {
  const { t } = useWords();
  const { me, names } = useSource();
  const known = useValue(names.known);
  return {
    me,
    nameOf: (user) => nameIn(known, user, t),
    others: [...known.keys()].filter((user) => user !== me.user),
  };
}

export function useMe(): People['me'] {
  return useSource().me;
}

/** The name of one, or the id; rendered again only when that changes. Null for nobody. */
export function useName(user: string | null): string | null {
  const { t } = useWords();
  const { known } = useSource().names;
  return useSyncExternalStore(known.subscribe, () => {
    return user === null ? null : nameIn(known.get(), user, t);
  });
}

function nameIn(known: ReadonlyMap<string, string>, user: string, t: Dictionary): string {
  return user === FORGOTTEN ? t.deletedUser : (known.get(user) ?? user);
}

/** Learns the names that come with messages. */
export function useNamesFrom(messages: readonly Message[]): void {
  const { names } = useSource();
  useEffect(() => {
    // Of the newest ones: in a room of thousands, names that long ago are of little use.
    names.learn(messages.slice(-200).map(({ sender, senderName }) => [sender, senderName]));
  }, [names, messages]);
}

function useSource(): PeopleSource {
  const source = useContext(PeopleContext);
  if (source === null) throw new Error('usePeople works only below <PeopleProvider>.');
  return source;
}
