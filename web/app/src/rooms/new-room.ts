/** What the dialog for a new room takes for valid. The server's rules, told before it is asked. */

export const LONGEST_NAME = 100;
const USER = /^(?!\.{1,2}$)[!-"$-)+-~]{1,128}$/;

export function isUserId(text: string): boolean {
  return USER.test(text);
}

/** The ids that stand in a field, each once, in order. */
export function usersIn(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,;]+/u).filter(Boolean))];
}

/** The text with the id added, or without it if it was there. */
export function toggled(text: string, user: string): string {
  const users = usersIn(text);
  const left = users.filter((other) => other !== user);
  return (left.length === users.length ? [...users, user] : left).join(', ');
}
