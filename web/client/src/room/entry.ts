/** Tells whether a body is an entry of a room's log. */

import type { Message } from '../types.js';

/** Far enough to be put in its place: position and room. Other fields depend on its `type`. */
export function isEntry(body: unknown): body is Message {
  const { type, roomId, epoch, offset } = fieldsOf(body);
  return (
    typeof type === 'string' &&
    typeof roomId === 'string' &&
    typeof epoch === 'string' &&
    Number.isSafeInteger(offset) &&
    (offset as number) > 0
  );
}

/** Returns a body's fields to look at; none where it is no object. */
export function fieldsOf(body: unknown): Partial<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? body : {};
}
