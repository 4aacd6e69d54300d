"""Memberships that ended without this gateway hearing of it: looked for now and then.

The event of a removal ends subscriptions at once. It may be lost (the bus was away; whoever
removed the member died between store and bus), and nobody may read on for ever (I6).
"""

from collections.abc import Sequence
from typing import Protocol

import structlog

from allibe_gateway.comparing import Comparing
from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.events import Event, RoomLeft
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.store.base import Members

log = structlog.get_logger(__name__)


class Subscribed(Protocol):
    """The part of the hub that is asked and told."""

    def users_by_room(self) -> dict[RoomId, set[UserId]]:
        """Return which users subscribe to which rooms here."""
        ...

    def on_events(self, events: Sequence[Event]) -> None:
        """Take events, as from the bus."""
        ...


class Revocations:
    """Compares the subscriptions of one gateway with the store."""

    def __init__(self, hub: Subscribed, members: Members) -> None:
        self._hub = hub
        self._members = members
        self._comparing = Comparing("memberships", self.check)

    def doubt(self) -> None:
        """Check soon: removals may have been lost."""
        self._comparing.doubt()

    async def run(self) -> None:
        """Check now and then, and whenever there is doubt, for ever."""
        await self._comparing.run()

    async def check(self) -> None:
        """End the subscriptions of those who are members no more.

        Raises `Unavailable` at the end when it was so for a room; the others were checked.
        """
        missed: Unavailable | None = None
        for room_id, users in self._hub.users_by_room().items():
            try:
                await self._check(room_id, users)
            except Unavailable as error:
                missed = error
        if missed is not None:
            raise missed

    async def _check(self, room_id: RoomId, users: set[UserId]) -> None:
        members = await self._members.among(room_id, users)
        lost = [RoomLeft(to=user, room_id=room_id) for user in users - members]
        if lost:
            log.warning("lost_removals_found", count=len(lost))
            self._hub.on_events(lost)
