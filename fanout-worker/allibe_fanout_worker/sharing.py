"""This worker's share of the shards, as workers join and leave.

Nothing here guards the log: the bus lets one consumer of a shard be active, whatever workers
believe. So a shard that two of them consume is only a stand-by more, and one that nobody consumes
waits. Therefore shards are taken up at once and let go of late, when the heir stands by.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable

import structlog

from allibe_fanout_worker.consuming import Consuming
from allibe_fanout_worker.shards import shared
from allibe_services.bus.base import Bus
from allibe_services.contracts.errors import Unavailable
from allibe_services.telemetry import WorkerMetrics
from allibe_services.workers.base import LEASE_SECONDS, RENEW_SECONDS, Workers

HEIR_SECONDS = RENEW_SECONDS + 0.5
"""How long a worker that leaves goes on: every other has renewed by then, and stands by."""

log = structlog.get_logger(__name__)


def new_worker_id() -> str:
    """Return an id that no worker had before: host and process are for people, the rest is not."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class Sharing:
    """Renews the worker's lease and keeps `consuming` to the share that follows from it.

    It is renewed while the bus is there: the others take over from a worker that has lost it. While
    that, or membership, is unavailable the share stays for as long as the others believe in the
    lease; from then on, and before the first, it is all shards. `clock` is in seconds, any origin.
    """

    def __init__(
        self,
        worker_id: str,
        workers: Workers,
        bus: Bus,
        consuming: Consuming,
        metrics: WorkerMetrics,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._id = worker_id
        self._workers = workers
        self._bus = bus
        self._consuming = consuming
        self._metrics = metrics
        self._all = frozenset(range(bus.shards))
        self._clock = clock or asyncio.get_running_loop().time
        self._live: set[str] = set()
        """Workers by the last answer; none before the first, or when it is too old."""
        self._leased_until = self._renewed = float("-inf")
        self._share: frozenset[int] = frozenset()
        self._is_missed = False

    async def run(self) -> None:
        """Go on for ever, after a first `renew`."""
        while True:
            await asyncio.sleep(self._renewed + RENEW_SECONDS - self._clock())
            await self.renew()

    async def renew(self) -> None:
        """Renew the lease, take up what is ours now, let go of what was not ours last time either.

        Ends within `RENEW_SECONDS`, so that what hangs is noticed in time.
        """
        self._renewed = self._clock()
        try:
            async with asyncio.timeout(RENEW_SECONDS):
                await self._bus.ping()
                self._live = {self._id, *await self._workers.announce(self._id)}
        except (Unavailable, TimeoutError) as error:
            self._tell(error)
            if self._clock() >= self._leased_until:
                self._live = set()
        else:
            self._leased_until = self._renewed + LEASE_SECONDS
            self._tell(None)
        self._apply()

    async def leave(self) -> None:
        """End the lease; return when the others have had the time to stand by, if there are any.

        Nothing may renew any more. What is consumed stays so until then.
        """
        others = self._live - {self._id}
        try:
            async with asyncio.timeout(RENEW_SECONDS):
                await self._workers.leave(self._id)
        except (Unavailable, TimeoutError) as error:
            # They take over when the lease ends, or they consume everything already.
            log.warning("lease_not_ended", worker=self._id, error=type(error).__name__)
            return
        if others:
            await asyncio.sleep(HEIR_SECONDS)

    def _apply(self) -> None:
        before, self._share = self._share, self._current_share()
        if self._share != before:
            self._metrics.rebalances.inc()
            log.info(
                "shards_shared",
                worker=self._id,
                workers=len(self._live) or None,
                shards=sorted(self._share),
            )
        self._consuming.consume(self._share | before)

    def _current_share(self) -> frozenset[int]:
        if not self._live:
            return self._all
        return frozenset(shared(self._live, len(self._all))[self._id])

    def _tell(self, missed: Exception | None) -> None:
        if missed is not None and not self._is_missed:
            log.warning("lease_not_renewed", worker=self._id, error=type(missed).__name__)
        elif missed is None and self._is_missed:
            log.info("lease_renewed_again", worker=self._id)
        self._is_missed = missed is not None
