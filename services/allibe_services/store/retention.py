"""What is kept of the store, and for how long: asked for by operators, not by the services.

Each call is one transaction of bounded size, and may be repeated. Safe while everything runs:
whoever appends to the same room waits for a call at most. Errors are as in `store.base`.
"""

from datetime import datetime, timedelta

from allibe_services.contracts.errors import UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, now
from allibe_services.store import forgetting, pruning, revocations
from allibe_services.store.database import Database

ROOMS = 500
"""Rooms looked at in one transaction."""

MESSAGES = 1000
"""Messages of a transaction: some 20 ms, for which appends to the room wait."""


class Retention:
    """Deletes over a database, which stays its owner's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rooms_from_before(
        self, before: datetime, after: RoomId | None = None
    ) -> tuple[list[RoomId], RoomId | None]:
        """Return which of the next rooms begin with an older message, and where to go on.

        The latter is the last room that was looked at; None at the end.
        """
        return await self._database.read(pruning.rooms_from, after, milliseconds(before), ROOMS)

    async def check_room(self, room_id: RoomId) -> None:
        """Raise `UnknownRoom` unless there is such a room."""
        if not await self._database.read(pruning.exists, room_id):
            raise UnknownRoom

    async def count(
        self, room_id: RoomId, *, before: datetime, keep_last: int, after: int = 0
    ) -> tuple[int, int]:
        """Return how many of the next messages `prune` would delete, and the last one's offset."""
        return await self._database.read(
            pruning.count, room_id, after, milliseconds(before), keep_last, MESSAGES
        )

    async def prune(self, room_id: RoomId, *, before: datetime, keep_last: int) -> int:
        """Delete some of the room's oldest messages; return how many: 0 when all is done.

        Up to the first one that is not older than `before`, and never of the last `keep_last`.
        What is left is a log without holes, whose offsets and end are what they were.
        """
        return await self._database.write(
            pruning.prune, room_id, milliseconds(before), keep_last, MESSAGES
        )

    async def revoke(self, user: UserId, life: timedelta) -> None:
        """Revoke the user's tokens of up to now, for that long: connections end within seconds.

        Raises `Overloaded` where too many revocations live.
        """
        await self._database.write(revocations.add, "user", user, now() + life)

    async def memberships(self, user: UserId) -> list[RoomId]:
        """Return some rooms of which the user is a member; none when there are none."""
        return await self._database.read(forgetting.memberships, user, ROOMS)

    async def leave(self, room_id: RoomId, user: UserId) -> None:
        """End a membership; who is left gets an owner where that was the last one."""
        await self._database.write(forgetting.leave, room_id, user)

    async def drop_settings(self, user: UserId) -> None:
        """Delete what is kept of the user beside rooms: browsers, settings, pushes, decisions."""
        await self._database.write(forgetting.drop_settings, user)

    async def rooms_of(
        self, user: UserId, after: RoomId | None = None
    ) -> tuple[list[RoomId], RoomId | None]:
        """Return which of the next rooms hold what the user wrote or made, and where to go on."""
        return await self._database.read(forgetting.rooms_of, user, after, ROOMS)

    async def erase(self, room_id: RoomId, user: UserId) -> int:
        """Blank some of the user's messages in a room; return how many: 0 when all is done.

        They keep their offset, id and time; their sender is `FORGOTTEN`. With the last of them the
        room's log has another epoch: who has it in memory reads it anew.
        """
        return await self._database.write(forgetting.erase, room_id, user, MESSAGES)
