"""What senders and listeners are: devices that come back, through any number of connections.

A device knows several places to connect to (gateways, a load balancer) and tries one after the
other, in an order of its own.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence

from aiohttp import ClientError

from tests.support.clients import Clients
from tests.support.inbox import Closed, Refusal
from tests.support.places import Place

FIRST_PAUSE = 0.03
LONGEST_PAUSE = 0.5
"""Seconds before a device comes back, doubled each time; the first again after a success."""

CONNECT_SECONDS = 5.0
"""For a connection and its CONNECTED. A gateway that is frozen takes connections too."""

BROKEN = (ClientError, ConnectionError, Closed, TimeoutError)
"""How a client learns that the server has gone, or gives it up."""


class Device(ABC):
    """One device of a user. `seed` and its name say how it behaves."""

    def __init__(
        self, name: str, user: str, *, places: Sequence[Place], clients: Clients, seed: str
    ) -> None:
        self.name = name
        self.user = user
        self.clients = clients
        self.random = random.Random(f"{seed} {name}")
        self.token = places[0].token(user, ttl=12 * 3600)
        self.last_error = "none"
        """Why its last connection ended, for the report."""
        self._places = list(places)
        self._pause = FIRST_PAUSE

    def is_well(self) -> None:
        """Note that the connection is of use."""
        self._pause = FIRST_PAUSE

    async def live(self) -> None:
        """Have one connection; wait a little when it breaks. Raises what must not be."""
        try:
            await self._life(self.random.choice(self._places))
        except BROKEN as error:
            self.last_error = f"{type(error).__name__} {error}"
        except Refusal as refusal:
            self.last_error = str(refusal)
            if not refusal.retryable:
                raise
        else:
            return
        await asyncio.sleep(self._pause * self.random.uniform(0.5, 1.0))
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    @abstractmethod
    async def _life(self, place: Place) -> None:
        """Connect, and do what the device does until the connection ends."""


def still_there(heard: int, before: int) -> None:
    """Raise `Closed` when a client heard nothing meanwhile, not even a heart-beat."""
    if heard == before:
        raise Closed(1006, "silence")
