"""How much waits: in the shards that this worker consumes, and as dead letters.

Asked now and then, for people.
"""

import asyncio
import math
from collections.abc import Callable, Collection

from allibe_services.bus.base import Bus
from allibe_services.contracts.errors import BusUnavailable
from allibe_services.telemetry import WorkerMetrics

LOOK_SECONDS = 5.0
"""Pause between looks: as often as figures are read as a rule, and nothing to a broker."""


class QueueLengths:
    """Keeps `allibe_worker_queue_length` to what `shards` returns, and to what the bus says.

    And `allibe_worker_dead_letters`, of the whole deployment.
    """

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
            dead_letters: float = await self._bus.dead_letters()
        except BusUnavailable:
            lengths, dead_letters = {}, math.nan
        self._metrics.dead_letters.set(dead_letters)
        for shard in self._shown - lengths.keys():
            self._metrics.queue_length.remove(str(shard))
        for shard, length in lengths.items():
            self._metrics.queue_length.labels(str(shard)).set(length)
        self._shown = set(lengths)
