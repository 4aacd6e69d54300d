/** Some of many people, by name, for a sentence about them. */

import { isolated } from '../i18n/bidi.js';

export interface Few {
  readonly names: readonly string[];
  /** How many there are besides. */
  readonly more: number;
}

/** The first two; three are named as well as two and one more are. */
export function few(users: readonly string[], nameOf: (user: string) => string): Few {
  const named = users.slice(0, users.length === 3 ? 3 : 2);
  return {
    names: named.map((user) => isolated(nameOf(user))),
    more: users.length - named.length,
  };
}
