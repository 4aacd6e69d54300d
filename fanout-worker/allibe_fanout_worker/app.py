"""A worker as one resource of a process: started on entry, stopped on exit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from allibe_fanout_worker.consumer import ShardConsumer
from allibe_fanout_worker.consuming import Consuming
from allibe_fanout_worker.notifier import Notifier
from allibe_fanout_worker.push.pushing import Pushing, pushing
from allibe_fanout_worker.queue_lengths import QueueLengths
from allibe_fanout_worker.retrying import Stall
from allibe_fanout_worker.sequencer import Sequencer
from allibe_fanout_worker.sharing import Sharing, new_worker_id
from allibe_services.bus.base import Bus
from allibe_services.contracts.commands import Outcome
from allibe_services.presence.base import Presence
from allibe_services.runtime import Readiness, Tasks
from allibe_services.store.base import Store
from allibe_services.telemetry import WorkerMetrics
from allibe_services.workers.base import Workers


@asynccontextmanager
async def worker(
    *,
    bus: Bus,
    store: Store,
    presence: Presence,
    workers: Workers,
    metrics: WorkerMetrics,
    readiness: Readiness,
    tasks: Tasks,
    push: Pushing | None = None,
) -> AsyncIterator[None]:
    """Consume this worker's share of the shards while the context lasts, from the entry on.

    On exit the others are told first, and take over while this one still consumes (3 s, if there
    are others); what is in hand is finished. What is not acked after 5 s more stays with the bus.
    What was stored last is told to its members, within a second. Pushes that are under way may
    take 3 s more. Without `push` there are none.
    """
    notifier = Notifier(store, presence, bus)
    followers: list[Callable[[Sequence[Outcome]], None]] = [notifier.stored]

    def tell(outcomes: Sequence[Outcome]) -> None:
        for follower in followers:
            follower(outcomes)

    def consumer(shard: int, stall: Stall) -> ShardConsumer:
        return ShardConsumer(bus, Sequencer(store.log, metrics, stall), tell, shard, stall, metrics)

    consuming = Consuming(consumer, readiness=readiness, tasks=tasks, metrics=metrics)
    sharing = Sharing(new_worker_id(), workers, bus, consuming, metrics)
    async with AsyncExitStack() as stack:
        if push is not None:
            open_pushing = pushing(push, store=store, presence=presence, tasks=tasks)
            followers.append(await stack.enter_async_context(open_pushing))
        stack.push_async_callback(_cancel, tasks.start(notifier.run(), name="notifier"))
        stack.push_async_callback(notifier.finish)
        stack.push_async_callback(consuming.close)
        stack.push_async_callback(sharing.leave)
        await sharing.renew()
        stack.push_async_callback(_cancel, tasks.start(sharing.run(), name="sharing"))
        lengths = QueueLengths(bus, lambda: consuming.shards, metrics)
        stack.push_async_callback(_cancel, tasks.start(lengths.run(), name="queue-lengths"))
        yield


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
