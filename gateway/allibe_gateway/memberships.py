"""The rooms that one user is known to be a member of, so that a SEND asks nobody.

The store says it first; the user's `RoomLeft` event ends it at once, and `FRESH_SECONDS` bound
it where that event was lost.
"""

import asyncio

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.store.base import Members

FRESH_SECONDS = 30.0
ROOMS = 200
"""Most rooms remembered for a connection."""


class Memberships:
    """What one connection knows of its user's memberships."""

    __slots__ = ("_endings", "_members", "_until")

    def __init__(self, members: Members) -> None:
        self._members = members
        self._until: dict[RoomId, float] = {}
        self._endings = 0

    async def check(self, room_id: RoomId, user_id: UserId) -> None:
        """Return when the user is a member. Raises `UnknownRoom`, `NotAMember`, `Unavailable`."""
        now = asyncio.get_running_loop().time()
        if self._until.get(room_id, 0.0) > now:
            return
        endings = -1
        while endings != self._endings:  # one that came while the store was asked: ask again
            endings = self._endings
            await self._members.role(room_id, user_id)
        if len(self._until) >= ROOMS:
            self._until.clear()
        self._until[room_id] = now + FRESH_SECONDS

    def forget(self, room_id: RoomId) -> None:
        """Ask the store again next time."""
        self._endings += 1
        self._until.pop(room_id, None)
