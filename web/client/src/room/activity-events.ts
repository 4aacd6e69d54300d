/** What comes on `/topic/rooms/{roomId}/activity` (docs/protocol.md, "Activity"). */

import type { ActivityEvent } from '../types.js';
import { fieldsOf } from './entry.js';

const OF_A_USER = new Set(['typing', 'read', 'left', 'member-added', 'member-removed']);

/** Returns the event, or null for what is none that is known here. */
export function activityEvent(body: unknown, roomId: string): ActivityEvent | null {
  const { type, roomId: told, user, offset, count, users } = fieldsOf(body);
  if (told !== roomId) return null;
  if (type === 'presence') {
    const areIds = Array.isArray(users) && users.every((one) => typeof one === 'string');
    const isRight = Number.isSafeInteger(count) && (users === undefined || areIds);
    return isRight ? (body as ActivityEvent) : null;
  }
  if (typeof user !== 'string' || !OF_A_USER.has(String(type))) return null;
  return type === 'read' && !Number.isSafeInteger(offset) ? null : (body as ActivityEvent);
}
