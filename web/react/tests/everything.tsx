/** All hooks on one page, for the tests of server rendering and hydration. */

import { useActivity, useConnection, useRoom, useRooms, useUnread } from '../src/index.js';

export function Everything() {
  const { state } = useConnection();
  const { status: list, rooms } = useRooms({ live: true });
  const { roomId, status, messages } = useRoom('r1');
  const unread = useUnread();
  const here = useActivity('r1').count ?? 'unknown';
  const shown = [state, list, rooms.length, unread, roomId, status, messages.length, here];
  return <p>{shown.join(' ')}</p>;
}
