"""A worker as one resource of a process: started on entry, stopped on exit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from allibe_fanout_worker.consumer import ShardConsumer
from allibe_fanout_worker.notifier import Notifier
from allibe_fanout_worker.retrying import Stall
from allibe_fanout_worker.sequencer import Sequencer
from allibe_fanout_worker.shards import shards_of_worker
from allibe_services.bus.base import Bus
from allibe_services.presence.base import Presence
from allibe_services.runtime import Readiness, Tasks
from allibe_services.store.base import Store
from allibe_services.telemetry import WorkerMetrics


@asynccontextmanager
async def worker(
    *,
    bus: Bus,
    store: Store,
    presence: Presence,
    metrics: WorkerMetrics,
    readiness: Readiness,
    tasks: Tasks,
) -> AsyncIterator[None]:
    """Consume this worker's shards while the context lasts.

    Cancelled on exit: commands that are not acked by then stay with the bus.
    """
    notifier = Notifier(store, presence, bus)
    running = [tasks.start(notifier.run(), name="notifier")]
    for shard in shards_of_worker(bus.shards):
        stall = Stall()
        sequencer = Sequencer(store.log, metrics, stall)
        consumer = ShardConsumer(bus, sequencer, notifier, shard, stall)
        readiness.add(f"shard-{shard}", stall.check)
        running.append(tasks.start(consumer.run(), name=f"shard-{shard}"))
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
