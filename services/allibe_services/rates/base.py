"""Where processes tell each other what was spent and what is held. Nobody waits for it.

What is spent is told in **debt**: the seconds in which a rate makes up for it (ten messages at
twenty a second are half a second). Debts of all processes add up, and time pays them back. What is
held (connections of a user) each process says of itself, under a lease, so that it ends with the
process. All of it may be lost at any moment without harm: each process goes on by what it knows.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

EXCHANGE_SECONDS = 0.2
"""How often processes exchange: what one allows in this time the others do not know yet."""

LEASE_SECONDS = 30.0
"""For so long counts as held what a process held that was killed. Three missed renewals of 10 s."""

RENEW_SECONDS = LEASE_SECONDS / 3


class Spent(msgspec.Struct, frozen=True):
    """What was spent since the last exchange: seconds of debt, and since how many seconds."""

    debt: float
    age: float


class Rates(Protocol):
    """Debts and counts of this process in, those of all processes out. Keys are any text.

    Every call ends within the publish time limit (`ALLIBE_PUBLISH_SECONDS`), or raises
    `Unavailable`: what was told may or may not have arrived, once or twice.
    """

    async def spend(self, spent: Mapping[str, Spent]) -> dict[str, float]:
        """Add to the debts of these keys; return the whole debt of each, in seconds from now."""
        ...

    async def hold(self, holder: str, counts: Mapping[str, int]) -> dict[str, int]:
        """Say how many of each key a process holds, for `LEASE_SECONDS`; 0 ends the lease.

        Return how many all others hold.
        """
        ...
