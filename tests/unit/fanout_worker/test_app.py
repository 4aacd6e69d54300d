"""`app`, `shards`: a worker as one resource of a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
from prometheus_client import CollectorRegistry

from allibe_fanout_worker.app import worker
from allibe_fanout_worker.shards import shards_of_worker
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.commands import Stored
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.runtime import Readiness, Tasks
from allibe_services.telemetry import WorkerMetrics
from tests.unit.fanout_worker.fakes import FakePresence, FakeStore, post, until


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.close()


def test_one_worker_alone_consumes_all_shards() -> None:
    assert shards_of_worker(16) == list(range(16))


async def test_it_consumes_while_it_lasts_and_leaves_the_rest_to_the_bus(tasks: Tasks) -> None:
    bus, store = InProcessBus(), FakeStore()
    readiness = Readiness()

    def one() -> AbstractAsyncContextManager[None]:
        return worker(
            bus=bus,
            store=store,
            presence=FakePresence(),
            metrics=WorkerMetrics(CollectorRegistry()),
            readiness=readiness,
            tasks=tasks,
        )

    async with one():
        assert isinstance(await bus.post(post("a")), Stored)
        assert await readiness.report() == {"shard-0": "ok"}
        store.log.failures = [StoreUnavailable() for _ in range(1000)]
        left = bus.post(post("b"))
        await until(lambda: store.log.calls > 1)
        assert await readiness.report() == {"shard-0": "store_unavailable"}
    assert not left.done()
    store.log.failures.clear()

    async with one():
        assert isinstance(await left, Stored)
    assert not tasks.failed.done()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
