"""`push.scheduler`: how often a room with news is looked at; more of it in `integration/push`."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from allibe_fanout_worker.push import scheduler
from allibe_fanout_worker.push.deciding import MemberRules
from allibe_fanout_worker.push.scheduler import Scheduler
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.push_queue import NewsPage
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.telemetry import PushMetrics
from tests.support.no_pushes import NoPushQueue
from tests.support.until import until

ROOM = RoomId("busy")
LOCKED = RoomId("locked")


class Queue(NoPushQueue):
    """Of a room in which somebody posts whenever it is looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.posted: Callable[[], None] = lambda: None

    async def page(self, room_id: RoomId, *, most: int) -> NewsPage | None:
        self.looks += 1
        self.posted()
        await asyncio.sleep(0)
        return None


def scheduler_of(queue: NoPushQueue) -> Scheduler:
    rules = MemberRules(delay=timedelta(0), reaches_everybody=True)
    store: Any = SimpleNamespace(push_queue=queue)
    metrics = PushMetrics(CollectorRegistry())
    return Scheduler(store, InProcessPresence(), rules, metrics, lambda: None)


async def test_a_busy_room_is_looked_at_once_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look is a transaction or two, which chat waits for on SQLite."""
    monkeypatch.setattr(scheduler, "ROUND_SECONDS", 0.1)
    queue = Queue()
    it = scheduler_of(queue)
    queue.posted = lambda: it._remember([ROOM])
    queue.posted()
    task = asyncio.create_task(it.run())
    await asyncio.sleep(0.55)
    task.cancel()
    assert 1 <= queue.looks <= 6


class Locked(NoPushQueue):
    """Of rooms, one of which fails every time: somebody holds a lock on a row of a member's."""

    def __init__(self) -> None:
        self.looks: list[RoomId] = []

    async def page(self, room_id: RoomId, *, most: int) -> NewsPage | None:
        self.looks.append(room_id)
        if room_id == LOCKED:
            raise StoreUnavailable
        return None


async def test_a_room_that_fails_again_and_again_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler, "ROUND_SECONDS", 0.001)
    monkeypatch.setattr(scheduler, "RETRY_SECONDS", 0.001)
    queue = Locked()
    it = scheduler_of(queue)
    it._remember([LOCKED])
    task = asyncio.create_task(it.run())
    await until(lambda: len(queue.looks) >= 2)
    it._remember([ROOM])
    await until(lambda: ROOM in queue.looks)
    before = queue.looks.count(LOCKED)
    await until(lambda: queue.looks.count(LOCKED) > before)
    task.cancel()
