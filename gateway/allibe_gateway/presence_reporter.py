"""Tells presence who is connected here and what they look at, in batches.

Changes wait a moment and go out together; leases are renewed well before they end. Presence may
be away: chat does not notice, and as soon as it is back, perhaps without all that it knew, it is
told of everybody who is here. (Who has left is not said again: those leases end by themselves.)
What presence knows, `screens_changed` hears of: in which rooms somebody came or went.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.ids import RoomId
from allibe_services.presence.base import LEASE_SECONDS, Lease, Presence

REPORT_SECONDS = 0.05
"""How long changes gather: less than the notifier waits, so that it knows who just connected."""

RENEW_SECONDS = LEASE_SECONDS / 3

RETRY_SECONDS = 0.5
"""Longest pause after a report that failed: less than the notifier waits with the news that it put
off, or it would find nobody connected to a Redis that was restarted."""

log = structlog.get_logger(__name__)


class Present(Protocol):
    """A connection of a signed-in user."""

    def lease(self) -> Lease | None:
        """Return what to report now, None before the sign-in."""
        ...


class PresenceReporter:
    """Reports the connections of one gateway. `run` must run."""

    def __init__(
        self,
        presence: Presence,
        screens_changed: Callable[[Collection[RoomId]], None] = lambda _: None,
    ) -> None:
        self._presence = presence
        self._screens_changed = screens_changed
        self._rooms: set[RoomId] = set()
        self._here: dict[str, Present] = {}
        self._changed: set[str] = set()
        self._ended: set[str] = set()
        self._woken = asyncio.Event()
        self._reporting = asyncio.Lock()
        self._is_away = False

    def changed(self, connection_id: str, present: Present, room_id: RoomId | None = None) -> None:
        """Report this connection soon: it signed in, or has this room on its screen or no more."""
        if room_id is not None:
            self._rooms.add(room_id)
        self._here[connection_id] = present
        self._changed.add(connection_id)
        self._woken.set()

    def ended(self, connection_id: str) -> None:
        """Report soon that the connection is gone."""
        if self._here.pop(connection_id, None) is not None:
            self._ended.add(connection_id)
            self._woken.set()

    async def run(self) -> None:
        """Go on for ever."""
        loop = asyncio.get_running_loop()
        renewal = loop.time() + RENEW_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(renewal):
                    await self._woken.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(REPORT_SECONDS)
            if loop.time() >= renewal:  # also where changes never leave a pause
                renewal = loop.time() + RENEW_SECONDS
                self._changed = set(self._here)
            self._woken.clear()
            await self.report()
            if self._is_away:
                renewal = min(renewal, loop.time() + RETRY_SECONDS)

    async def report(self) -> None:
        """Send what has changed since the last time; what is being sent is sent before."""
        async with self._reporting:
            await self._report()

    async def _report(self) -> None:
        changed, self._changed = self._changed, set()
        ended, self._ended = self._ended, set()
        rooms, self._rooms = self._rooms, set()
        leases = [present.lease() for one in changed if (present := self._here.get(one))]
        try:
            await self._presence.end(ended)
            await self._presence.renew([lease for lease in leases if lease is not None])
        except Unavailable as error:
            self._changed |= changed & self._here.keys()
            self._rooms |= rooms
            if not self._is_away:
                log.warning("presence_not_reported", code=error.code)
            self._is_away = True
        else:
            self._is_away = False
            self._screens_changed(rooms)
