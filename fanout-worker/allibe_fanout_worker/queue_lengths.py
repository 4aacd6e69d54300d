"""How much waits in the shards that this worker consumes: asked now and then, for people."""

import asyncio
from collections.abc import Callable, Collection

from allibe_services.bus.base import Bus
from allibe_services.contracts.errors import BusUnavailable
from allibe_services.telemetry import WorkerMetrics

LOOK_SECONDS = 5.0
"""Pause between looks: as often as figures are read as a rule, and nothing to a broker."""


class QueueLengths:
    """Keeps `allibe_worker_queue_length` to what `shards` returns, and to what the bus says."""

    def __init__(
        self, bus: Bus, shards: Callable[[], Collection[int]], metrics: WorkerMetrics
    ) -> None:
        self._bus = bus
        self._shards = shards
        self._metrics = metrics
        self._shown: set[int] = set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once. What cannot be known is not shown: an old figure would mislead."""
        try:
            lengths = await self._bus.lengths(self._shards())
        except BusUnavailable:
            lengths = {}
        for shard in self._shown - lengths.keys():
            self._metrics.queue_length.remove(str(shard))
        for shard, length in lengths.items():
            self._metrics.queue_length.labels(str(shard)).set(length)
        self._shown = set(lengths)
