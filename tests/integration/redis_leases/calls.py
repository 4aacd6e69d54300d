"""What the tests of this folder ask of Redis, and how they look at the answers."""

import asyncio
import time
from collections.abc import Awaitable

import pytest

from allibe_services.contracts.errors import LeasesUnavailable
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import Lease, Presence
from tests.support.presences import connected, looking

ALICE, BOB = UserId("alice"), UserId("bob")
ONE, TWO = RoomId("1"), RoomId("2")
LEASES = [Lease("a", ALICE, (ONE,)), Lease("b", BOB, (ONE, TWO))]

IN_TIME = 2.5
"""Seconds: the limit of 2 of one exchange, and something for a machine that is busy."""

SOON = 3.0
"""Seconds until it is noticed that Redis is well again: it is asked every second."""


async def fails_in_time(call: Awaitable[object], seconds: float = IN_TIME) -> float:
    """Check that a call fails as it should; return after how many seconds."""
    began = time.monotonic()
    with pytest.raises(LeasesUnavailable):
        async with asyncio.timeout(seconds):
            await call
    return time.monotonic() - began


async def works_soon(presence: Presence, seconds: float = SOON) -> None:
    """Check that leases are taken and told again, by the same object."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                await presence.renew(LEASES)
            except LeasesUnavailable:
                await asyncio.sleep(0.02)
            else:
                break
        assert await looking(presence, ONE) == {ALICE, BOB}
        assert await connected(presence, [ALICE, BOB]) == {ALICE, BOB}
