"""Who has a room on the screen, for those who subscribe to the room's activity.

Rules
  1. A gateway where somebody came or went tells all that are bound to the room, after presence
     knows of it.
  2. A gateway with subscribers to the room's activity then asks presence, once for all changes of
     a moment, and hands out the whole answer if it is another one. So each subscriber has at most
     one event per room and `PAUSE_SECONDS`, however many come, and a lost one harms nobody.
  3. What nobody tells is found by asking now and then: leases of a gateway that died, events that
     were lost, a presence that lost all. Crowds are asked about only then.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

import structlog

from allibe_gateway.fanout.activity import CROWD
from allibe_services.bus.base import Bus
from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.events import RoomPresence, ScreensChanged
from allibe_services.contracts.ids import RoomId
from allibe_services.presence.base import Lookers, Presence

GATHER_SECONDS = 0.1
"""Before presence is asked: more than a connection takes to be reported to it."""

PAUSE_SECONDS = 1.0
"""Between two answers: as soon as anybody looks for one."""

REFRESH_SECONDS = 10.0
"""How often all rooms are asked about. With `LEASE_SECONDS` it bounds how long somebody is shown
whose gateway died."""

NEWS_SECONDS = 0.25
"""Between two tellings of what changed here."""

ROOMS = 200
"""Rooms asked about in one call; between two others have their turn."""

log = structlog.get_logger(__name__)


class Watched(Protocol):
    """The part of the hub that is asked and told."""

    def watched(self) -> Sequence[RoomId]:
        """Return the rooms where somebody wants to know who is here."""
        ...

    def show_presence(self, presence: RoomPresence) -> None:
        """Hand out who is here to those who do not know."""
        ...


class Screens:
    """Shows the subscribers of one gateway who is here. `run` must run."""

    def __init__(self, presence: Presence, hub: Watched) -> None:
        self._presence = presence
        self._hub = hub
        self._asked: set[RoomId] = set()
        self._crowds: set[RoomId] = set()
        self._woken = asyncio.Event()
        self._is_away = False

    def changed(self, room_id: RoomId) -> None:
        """Ask about this room soon; about a crowd with all others."""
        if room_id not in self._crowds:
            self._asked.add(room_id)
            self._woken.set()

    async def run(self) -> None:
        """Go on for ever."""
        loop = asyncio.get_running_loop()
        refresh = loop.time() + REFRESH_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(refresh):
                    await self._woken.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(GATHER_SECONDS)
            self._woken.clear()
            if loop.time() >= refresh:
                refresh = loop.time() + REFRESH_SECONDS
                self.refresh()
            await self.show()
            await asyncio.sleep(PAUSE_SECONDS)

    def refresh(self) -> None:
        """Ask about all rooms the next time."""
        self._asked.update(self._hub.watched())
        self._crowds &= self._asked

    async def show(self) -> None:
        """Ask, and hand out; what cannot be had now is asked for with the next refresh."""
        asked, self._asked = list(self._asked), set()
        try:
            for start in range(0, len(asked), ROOMS):
                await self._show(asked[start : start + ROOMS])
                await asyncio.sleep(0)
        except Unavailable as error:
            if not self._is_away:
                log.warning("presence_not_shown", code=error.code)
            self._is_away = True
        else:
            self._is_away = False

    async def _show(self, rooms: Sequence[RoomId]) -> None:
        found = await self._presence.lookers(rooms, most=CROWD)
        for room_id, lookers in found.items():
            if lookers.users is None:
                self._crowds.add(room_id)
            else:
                self._crowds.discard(room_id)
            self._hub.show_presence(_presence_of(room_id, lookers))


class ScreenNews:
    """Tells the gateways in which rooms somebody came or went here. `run` must run."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._rooms: set[RoomId] = set()
        self._woken = asyncio.Event()

    def tell(self, rooms: Collection[RoomId]) -> None:
        """Tell it soon; presence knows."""
        if rooms:
            self._rooms.update(rooms)
            self._woken.set()

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            await self._woken.wait()
            await self.publish()
            await asyncio.sleep(NEWS_SECONDS)

    async def publish(self) -> None:
        """Tell it now."""
        self._woken.clear()
        rooms, self._rooms = self._rooms, set()
        try:
            await self._bus.publish([ScreensChanged(room_id) for room_id in rooms])
        except Unavailable as error:
            # All gateways ask by themselves, a little later.
            log.info("screens_not_told", code=error.code)


def _presence_of(room_id: RoomId, lookers: Lookers) -> RoomPresence:
    users = None if lookers.users is None else tuple(sorted(lookers.users))
    return RoomPresence(room_id, lookers.count, users)
