"""The rooms that one user is known to be a member of, so that a SEND asks nobody.

The store says it first; the user's `RoomLeft` event ends it at once, and `FRESH_SECONDS` bound
it where that event was lost. While the store is away, and with it whoever could end a membership,
one that was known goes on: what is sent meanwhile is receipted and waits (DESIGN §1.3).
"""

import asyncio
from typing import Protocol

from allibe_services.contracts.errors import Refused, Unavailable
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Role

FRESH_SECONDS = 30.0
AWAY_SECONDS = 5.0
"""A store that is away is asked again after so long: it may take as long to say so."""

ROOMS = 200
"""Most rooms remembered for a connection."""


class Roles(Protocol):
    """Whom to ask; see `store.base.Members`."""

    async def role(self, room_id: RoomId, user_id: UserId) -> Role: ...


class Memberships:
    """What one connection knows of its user's memberships."""

    __slots__ = ("_endings", "_roles", "_until")

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._until: dict[RoomId, float] = {}
        self._endings = 0

    def knows(self, room_id: RoomId) -> bool:
        """Tell whether the user is known to be a member, so that there is nothing to `check`."""
        until = self._until.get(room_id)
        return until is not None and until > asyncio.get_running_loop().time()

    async def check(self, room_id: RoomId, user_id: UserId) -> None:
        """Return when the user is a member. Raises `UnknownRoom`, `NotAMember`, `Unavailable`."""
        if not self.knows(room_id):
            await self.confirm(room_id, user_id)

    async def confirm(self, room_id: RoomId, user_id: UserId) -> None:
        """Ask the store, whatever is known: for what lasts, as a subscription does.

        While the store is away, what was known counts. Raises as `check`.
        """
        clock = asyncio.get_running_loop().time
        now = clock()
        try:
            await self._ask(room_id, user_id)
        except Unavailable:
            if room_id not in self._until:
                raise
            self._until[room_id] = clock() + AWAY_SECONDS
            return
        except Refused:
            self._until.pop(room_id, None)
            raise
        if len(self._until) >= ROOMS:
            self._until.clear()
        self._until[room_id] = now + FRESH_SECONDS

    async def _ask(self, room_id: RoomId, user_id: UserId) -> None:
        endings = -1
        while endings != self._endings:  # one that came while the store was asked: ask again
            endings = self._endings
            await self._roles.role(room_id, user_id)

    def forget(self, room_id: RoomId) -> None:
        """Ask the store again next time."""
        self._endings += 1
        self._until.pop(room_id, None)
