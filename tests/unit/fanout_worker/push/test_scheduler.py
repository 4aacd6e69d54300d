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
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.push_queue import NewsPage
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.telemetry import PushMetrics
from tests.support.no_pushes import NoPushQueue

ROOM = RoomId("busy")


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


async def test_a_busy_room_is_looked_at_once_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look is a transaction or two, which chat waits for on SQLite."""
    monkeypatch.setattr(scheduler, "ROUND_SECONDS", 0.1)
    queue = Queue()
    rules = MemberRules(delay=timedelta(0), reaches_everybody=True)
    store: Any = SimpleNamespace(push_queue=queue)
    metrics = PushMetrics(CollectorRegistry())
    it = Scheduler(store, InProcessPresence(), rules, metrics, lambda: None)
    queue.posted = lambda: it._remember([ROOM])
    queue.posted()
    task = asyncio.create_task(it.run())
    await asyncio.sleep(0.55)
    task.cancel()
    assert 1 <= queue.looks <= 6
