"""Pushes as one resource of a worker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from allibe_fanout_worker.push.deciding import MemberRules
from allibe_fanout_worker.push.pusher import Pusher
from allibe_fanout_worker.push.retries import RetryPolicy
from allibe_fanout_worker.push.scheduler import Scheduler
from allibe_fanout_worker.push.ways import Ways
from allibe_services.contracts.commands import Outcome
from allibe_services.presence.base import Presence
from allibe_services.rates.rate import Rate
from allibe_services.runtime import Tasks
from allibe_services.store.base import Store
from allibe_services.telemetry import PushMetrics


class Pushing(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker needs to push. `delay` and `rate` are the settings'."""

    ways: Ways
    metrics: PushMetrics
    delay: timedelta
    rate: Rate | None
    policy: RetryPolicy = msgspec.field(default_factory=RetryPolicy)


@asynccontextmanager
async def pushing(
    how: Pushing, *, store: Store, presence: Presence, tasks: Tasks
) -> AsyncIterator[Callable[[Sequence[Outcome]], None]]:
    """Schedule and send pushes; give what is to hear of stored messages.

    On exit what is under way may end; what is left is the store's, for other workers or the next.
    """
    pusher = Pusher(
        store,
        presence,
        how.ways,
        how.metrics,
        tasks,
        delay=how.delay,
        rate=how.rate,
        policy=how.policy,
    )
    rules = MemberRules(delay=how.delay, reaches_everybody=how.ways.reach_everybody)
    scheduler = Scheduler(store, presence, rules, how.metrics, pusher.wake)
    running = [
        tasks.start(scheduler.run(), name="push-scheduler"),
        tasks.start(scheduler.patrol(), name="push-patrol"),
        tasks.start(pusher.run(), name="pusher"),
    ]
    try:
        yield scheduler.stored
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await pusher.finish()
