"""Who is connected, and who is looking at which room, as leases that gateways renew.

A lease belongs to a connection. It ends when the connection reports its end, or by itself
`LEASE_SECONDS` after the last renewal (its gateway died). All of it may be lost at any moment
without harm: at worst somebody is notified of a room that is on the screen.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from allibe_services.contracts.ids import RoomId, UserId

LEASE_SECONDS = 60.0
"""Three missed renewals of 20 s: long enough for a stalled gateway, short enough to matter."""


COUNTED = 200
"""Connections that look at one room up to which their users are counted; beyond, the connections
are. Whoever asks for that many wants to know whether it is hundreds or thousands."""


class Lease(msgspec.Struct, frozen=True):
    """One connection of a user, and the rooms on its screen: none while that is hidden."""

    connection_id: str
    user_id: UserId
    rooms: tuple[RoomId, ...] = ()


Screens = dict[UserId, frozenset[RoomId]]
"""Connected users, each with the rooms that are on the screens of their connections."""


DEVICES = 10
"""Connections of a user whose screens are told at least: who opens hundreds, with a hundred rooms
on each, holds up nobody."""


class Lookers(msgspec.Struct, frozen=True):
    """How many users have a room on the screen, and who where that was asked for."""

    count: int
    users: frozenset[UserId] | None = None


class Presence(Protocol):
    """Leases in, sets of users out.

    Every call ends within the publish time limit (`ALLIBE_PUBLISH_SECONDS`), or raises
    `Unavailable` (retryable): what was asked for may or may not have been done, and can be asked
    for again. `close` raises nothing.
    """

    async def renew(self, leases: Sequence[Lease]) -> None:
        """Put these leases in the place of what was known of their connections."""
        ...

    async def end(self, connection_ids: Collection[str]) -> None:
        """End leases; unknown ones are ignored."""
        ...

    async def screens(self, users: Collection[UserId]) -> Screens:
        """Return those of the users who have a living lease, with what is on their screens.

        Of a user with more than `DEVICES` leases, perhaps only what those that were renewed last
        say.
        """
        ...

    async def lookers(self, rooms: Collection[RoomId], *, most: int) -> dict[RoomId, Lookers]:
        """Return for each of the rooms who has it on the screen, named up to `most`.

        Where there are more than `most` (of `COUNTED` at most), only their number; where more than
        `COUNTED` connections look, the number of these.
        """
        ...

    async def ping(self) -> None:
        """Raise `Unavailable` when leases cannot be read or written now."""
        ...

    async def close(self) -> None:
        """Let go of what the implementation holds."""
        ...
