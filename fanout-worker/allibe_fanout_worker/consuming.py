"""The shards that are consumed now: each with its task, its readiness check, and a gentle end."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog

from allibe_fanout_worker.consumer import ShardConsumer
from allibe_fanout_worker.retrying import Stall
from allibe_services.runtime import Readiness, Tasks
from allibe_services.telemetry import WorkerMetrics

FINISH_SECONDS = 5.0
"""How long a shard that is let go may take to store, publish and ack what it has in hand. Then it
is cancelled: the commands stay with the bus, and the next worker finds what was stored."""

log = structlog.get_logger(__name__)

MakeConsumer = Callable[[int, Stall], ShardConsumer]


@dataclass(frozen=True)
class _Consumed:
    consumer: ShardConsumer
    task: asyncio.Task[None]
    stall: Stall


class Consuming:
    """Starts and ends shard consumers. One that fails ends the process, by way of `tasks`."""

    def __init__(
        self,
        make: MakeConsumer,
        *,
        readiness: Readiness,
        tasks: Tasks,
        metrics: WorkerMetrics,
    ) -> None:
        self._make = make
        self._readiness = readiness
        self._tasks = tasks
        self._metrics = metrics
        self._consumed: dict[int, _Consumed] = {}
        self._ending: dict[int, asyncio.Task[None]] = {}
        metrics.stalled.set_function(self._stalled)

    @property
    def shards(self) -> Collection[int]:
        """The shards that are consumed now."""
        return tuple(self._consumed)

    def consume(self, shards: Collection[int]) -> None:
        """Consume these shards and no others from now on. Returns at once.

        A shard that is still ending is not taken up again: ask again later.
        """
        for shard in self._consumed.keys() - set(shards):
            self._let_go(shard)
        for shard in sorted(set(shards) - self._consumed.keys() - self._ending.keys()):
            self._take_up(shard)

    async def close(self) -> None:
        """Let go of all shards and return when all have ended: `FINISH_SECONDS` and a little."""
        self.consume(())
        if self._ending:
            await asyncio.wait(self._ending.values())

    def _take_up(self, shard: int) -> None:
        stall = Stall()
        consumer = self._make(shard, stall)
        task = self._tasks.start(consumer.run(), name=_name(shard))
        self._consumed[shard] = _Consumed(consumer, task, stall)
        self._readiness.add(_name(shard), stall.check)
        self._metrics.shards.inc()
        self._metrics.oldest.labels(str(shard)).set_function(consumer.oldest_seconds)

    def _let_go(self, shard: int) -> None:
        ending = self._end(shard, self._consumed.pop(shard))
        self._ending[shard] = self._tasks.start(ending, name=f"{_name(shard)}-ending")

    async def _end(self, shard: int, consumed: _Consumed) -> None:
        task = consumed.task
        try:
            consumed.consumer.let_go()
            if consumed.consumer.has_delivery:
                await asyncio.wait({task}, timeout=FINISH_SECONDS)
                if not task.done():
                    log.warning("shard_cut_off", shard=shard, seconds=FINISH_SECONDS)
            task.cancel()
            await asyncio.wait({task})
        finally:
            task.cancel()
            del self._ending[shard]
            self._readiness.remove(_name(shard))
            self._metrics.shards.dec()
            self._metrics.oldest.remove(str(shard))

    def _stalled(self) -> float:
        return sum(one.stall.error is not None for one in self._consumed.values())


def _name(shard: int) -> str:
    return f"shard-{shard}"
