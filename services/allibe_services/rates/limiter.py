"""Decides whether something is too much, at once and from memory. Nothing here waits.

One for all services of a process. What it counts is told to other processes by `exchange`.
"""

import time
from collections.abc import Callable
from math import ceil

from prometheus_client import CollectorRegistry

from allibe_services.contracts.errors import RateLimited
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.rates.buckets import Buckets
from allibe_services.rates.holdings import Holdings
from allibe_services.rates.policy import Limit, Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics

CONNECTIONS_RETRY_MS = 10_000
"""When to try again where too many connections are open: nobody knows when one of them closes."""

_TEXTS: dict[Limit, str] = {
    "user_messages": "You post too fast.",
    "room_messages": "Too much is posted in this room at once.",
    "slow_mode": "This room is in slow mode.",
    "user_requests": "You ask too often.",
    "user_connections": "You have too many connections.",
}


class Limiter:
    """The limits of one process. `clock` is in seconds and only goes forward."""

    def __init__(
        self,
        policy: Policy,
        metrics: LimitMetrics,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        self.clock = clock
        self.unsigned = 0
        """Connections here that nobody has signed in on yet."""
        self.buckets: dict[Limit, Buckets] = {}
        self.holdings: dict[Limit, Holdings] = {}
        self._metrics = metrics
        self._add("user_messages", policy.user_messages)
        self._add("room_messages", policy.room_messages)
        self._add("slow_mode", policy.slow_mode)
        self._posting = tuple(self.buckets.items())
        self._add("user_requests", policy.user_requests)
        if policy.user_connections is not None:
            self.holdings["user_connections"] = Holdings(policy.user_connections)
        if policy.address_connections is not None:
            self.holdings["address_connections"] = Holdings(policy.address_connections)

    def post(self, user_id: UserId, room_id: RoomId) -> None:
        """Let a user post a message in a room. Raises `RateLimited`, and then nothing is spent."""
        now = self.clock()
        fitting = []
        for limit, buckets in self._posting:
            key = _key(limit, user_id, room_id)
            if wait := buckets.wait(key, now):
                self._refuse(limit, wait)
            else:
                fitting.append((buckets, key))
        for buckets, key in fitting:
            buckets.spend(key, now)

    def request(self, user_id: UserId) -> None:
        """Let a user make an HTTP request. Raises `RateLimited`."""
        buckets = self.buckets.get("user_requests")
        if buckets is None:
            return
        now = self.clock()
        if wait := buckets.wait(user_id, now):
            self._refuse("user_requests", wait)
        else:
            buckets.spend(user_id, now)

    def arrive(self) -> None:
        """Count a connection, on which nobody is signed in, until `leave`."""
        self.unsigned += 1

    def leave(self) -> None:
        """Count a connection no longer, on which nobody is signed in any more."""
        self.unsigned -= 1

    def sign_in(self, user_id: UserId) -> None:
        """Count one of them as the user's, until `sign_out`. Raises `RateLimited`."""
        holdings = self.holdings.get("user_connections")
        if holdings is not None:
            if holdings.is_full(user_id) and self.exceeds("user_connections"):
                text = _TEXTS["user_connections"]
                raise RateLimited(text, retry_after_ms=CONNECTIONS_RETRY_MS)
            holdings.add(user_id)
        self.unsigned -= 1

    def sign_out(self, user_id: UserId) -> None:
        """Count it as nobody's again."""
        if "user_connections" in self.holdings:
            self.holdings["user_connections"].remove(user_id)
        self.unsigned += 1

    def exceeds(self, limit: Limit) -> bool:
        """Count that a limit is exceeded; tell whether that is to be refused."""
        enforced = self.policy.enforces(limit)
        self._metrics.count(limit, enforced=enforced)
        return enforced

    def _refuse(self, limit: Limit, wait: float) -> None:
        if self.exceeds(limit):
            raise RateLimited(_TEXTS[limit], retry_after_ms=ceil(wait * 1000))

    def _add(self, limit: Limit, rate: Rate | None) -> None:
        if rate is not None:
            self.buckets[limit] = Buckets(rate)


def unlimited() -> Limiter:
    """Return a limiter that refuses nothing, whose figures nobody sees."""
    return Limiter(Policy(), LimitMetrics(CollectorRegistry()))


def _key(limit: Limit, user_id: UserId, room_id: RoomId) -> str:
    if limit == "user_messages":
        return user_id
    return room_id if limit == "room_messages" else f"{room_id} {user_id}"
