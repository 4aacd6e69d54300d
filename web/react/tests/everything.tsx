/** All hooks on one page, for the tests of server rendering and hydration. */

import { useConnection, useRoom, useRooms, useUnread } from '../src/index.js';

export function Everything() {
  const { state } = useConnection();
  const { status: list, rooms } = useRooms({ live: true });
  const { roomId, status, messages } = useRoom('r1');
  const unread = useUnread();
  return <p>{[state, list, rooms.length, unread, roomId, status, messages.length].join(' ')}</p>;
}
