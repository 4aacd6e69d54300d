"""Figures of what a process stands on: its bus, its database, Redis, its event loop.

What is a state is asked for when somebody reads the figures. What is an event is counted once for
a batch, or for a transaction.
"""

import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from allibe_services.bus.line import OK
from allibe_services.contracts.errors import (
    BusUnavailable,
    CommandRejected,
    NotConfirmed,
    Overloaded,
    ShuttingDown,
)
from allibe_services.telemetry import LATENCY_BUCKETS

POSTED = (
    OK,
    *(one.code for one in (BusUnavailable, NotConfirmed, Overloaded, ShuttingDown)),
    CommandRejected.code,
)
"""All that a sender can be told of a message that was posted (`Bus.post`)."""

LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

LOOK_SECONDS = 0.25
"""Pause between looks at the event loop: what holds it up for longer is seen for certain."""


class BackendMetrics:
    """What a process counts of its bus, its database and Redis."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._up = Gauge(
            "allibe_link_up",
            "1 while what the process stands on answers it, 0 while it does not, as its last use"
            " says: `rabbitmq_publishing`, `rabbitmq_consuming`, `database`, `redis`, which is used"
            " every 10 s at least.",
            ["link"],
            registry=registry,
        )
        self._blocked = Gauge(
            "allibe_bus_blocked",
            "1 while RabbitMQ takes no messages, as it does when short of memory or disk.",
            registry=registry,
        )
        self.shards = Gauge(
            "allibe_bus_shards", "Shards of the deployment, by the settings.", registry=registry
        )
        self._posts = Counter(
            "allibe_bus_posts",
            "Messages posted to the bus, by what their senders were told: `ok`, or the error's"
            " code.",
            ["result"],
            registry=registry,
        )
        for result in POSTED:
            self._posts.labels(result)  # a rate of what was never counted would be unknown, not 0
        self._post_seconds = Histogram(
            "allibe_bus_post_seconds",
            "From posting to the confirm; of each batch the message that waited longest.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._posts_waiting = Gauge(
            "allibe_bus_posts_waiting", "Messages that are still to be sent.", registry=registry
        )
        self.database_connections = Gauge(
            "allibe_database_connections",
            "Most transactions that the process runs at once; more have to wait.",
            registry=registry,
        )
        self.database_calls = Gauge(
            "allibe_database_calls",
            "Transactions that run, or wait for their turn.",
            registry=registry,
        )
        self.database_seconds = Histogram(
            "allibe_database_call_seconds",
            "From asking for a transaction to its end, the wait for its turn included.",
            ["kind"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.database_failures = Counter(
            "allibe_database_failures",
            "Transactions that failed because the database was away, too slow or full.",
            registry=registry,
        )

    def watch(self, link: str, is_up: Callable[[], bool]) -> None:
        """Ask for the state of a link from now on."""
        self._up.labels(link).set_function(lambda: float(is_up()))

    def watch_bus(self, *, is_blocked: Callable[[], bool], waiting: Callable[[], int]) -> None:
        """Ask for what the bus is up to from now on."""
        self._blocked.set_function(lambda: float(is_blocked()))
        self._posts_waiting.set_function(lambda: float(waiting()))

    def posted(self, result: str, count: int, seconds: float) -> None:
        """Count what senders were told (`bus.line.Tell`)."""
        self._posts.labels(result).inc(count)
        if result == OK:
            self._post_seconds.observe(seconds)


class LoopMetrics:
    """How late the event loop is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "allibe_event_loop_lag_seconds",
            "How much too late the event loop woke a task: other work held it up.",
            buckets=LAG_BUCKETS,
            registry=registry,
        )

    async def run(self) -> None:
        """Look for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self._lag.observe(max(0.0, clock() - due))
