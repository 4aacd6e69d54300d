"""What is kept of the store, and for how long: asked for by operators, not by the services.

Each call is one transaction of bounded size, and may be repeated. Safe while everything runs:
whoever appends to the same room waits for a call at most. Errors are as in `store.base`.
"""

from datetime import datetime

from allibe_services.contracts.errors import UnknownRoom
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.messages import milliseconds
from allibe_services.store import pruning
from allibe_services.store.database import Database

ROOMS = 500
"""Rooms looked at in one transaction."""

MESSAGES = 1000
"""Messages deleted in one transaction: some 20 ms, for which appends to the room wait."""


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
