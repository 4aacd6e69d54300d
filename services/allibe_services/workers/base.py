"""Which fan-out workers live now, as leases that each renews for itself.

All of it may be lost or wrong at any moment without harm to the log: the bus lets one consumer of
a shard be active at a time, whatever workers believe. At worst a shard waits, or all consume it.
"""

from typing import Protocol

LEASE_SECONDS = 6.0
"""Three missed renewals of 2 s: with the time in which RabbitMQ notices a frozen consumer (12 s,
side by side with this), a shard is handed over within 15 s."""

RENEW_SECONDS = LEASE_SECONDS / 3


class Workers(Protocol):
    """Leases in, the set of live workers out.

    Every call ends within the publish time limit (`ALLIBE_PUBLISH_SECONDS`), or raises
    `Unavailable` (retryable): what was asked for may or may not have been done.
    """

    async def announce(self, worker_id: str) -> set[str]:
        """Renew the worker's lease and return the ids of all live workers, this one among them."""
        ...

    async def leave(self, worker_id: str) -> None:
        """End the worker's lease at once; an unknown one is ignored."""
        ...

    async def ping(self) -> None:
        """Raise `Unavailable` when leases cannot be read or written now."""
        ...
