"""Memberships that ended without this gateway hearing of it: looked for now and then.

The event of a removal ends subscriptions at once. It may be lost (the bus was away; whoever
removed the member died between store and bus), and nobody may read on for ever (I6).
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.events import Event, RoomLeft
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.store.base import Members

CHECK_SECONDS = 30.0
"""The longest that a lost removal goes unseen; one query per room with local subscribers."""

RETRY_SECONDS = 2.0
"""Pause after a check that failed: the store is away."""

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
        self._doubt = asyncio.Event()

    def doubt(self) -> None:
        """Check soon: removals may have been lost."""
        self._doubt.set()

    async def run(self) -> None:
        """Check now and then, and whenever there is doubt, for ever."""
        while True:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._doubt.wait()
            except TimeoutError:
                pass
            self._doubt.clear()
            try:
                await self.check()
            except Unavailable as error:
                log.warning("memberships_not_compared", code=error.code)
                await asyncio.sleep(RETRY_SECONDS)
                self._doubt.set()

    async def check(self) -> None:
        """End the subscriptions of those who are members no more. Raises `Unavailable`."""
        for room_id, users in self._hub.users_by_room().items():
            members = await self._members.among(room_id, users)
            lost = [RoomLeft(to=user, room_id=room_id) for user in users - members]
            if lost:
                log.warning("lost_removals_found", count=len(lost))
                self._hub.on_events(lost)
