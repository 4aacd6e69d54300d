/** What the server pushes (`push/fitting.py` of the fan-out worker), and how it is told. */

export interface Pushed {
  readonly roomId: string;
  /** Of the newest message; not a number where that is not said. */
  readonly offset: number;
  /** The room's name. */
  readonly title: string;
  /** Who says what, or a sum of that. */
  readonly body: string;
  /** How many have come that the user has not heard of. */
  readonly messages: number;
}

const ROOM = /^[A-Za-z0-9_-]{1,64}$/;

/** Returns what was pushed, or null for what is not ours. */
export function pushedIn(text: string | undefined): Pushed | null {
  let found: unknown;
  try {
    found = JSON.parse(text ?? '');
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null) return null;
  const { type, roomId, offset, title, body, messages } = found as Record<string, unknown>;
  if (type !== 'notification' || typeof roomId !== 'string' || !ROOM.test(roomId)) return null;
  return {
    roomId,
    offset: typeof offset === 'number' ? offset : Number.NaN,
    title: typeof title === 'string' && title !== '' ? title : 'Allibe',
    body: typeof body === 'string' ? body : '',
    messages: typeof messages === 'number' ? messages : 1,
  };
}

/** The text below the room's name. */
export function textOf({ messages, body }: Pushed, language: string): string {
  if (messages === 1 && body !== '') return body;
  if (language.startsWith('ko')) return `새 메시지 ${messages}개`;
  return messages === 1 ? 'A new message' : `${messages} new messages`;
}
