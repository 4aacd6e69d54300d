"""Servers and workers for the tests of this folder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.shard_sharing.load import Load, loaded
from tests.integration.shard_sharing.processes import WorkerProcess

StartWorkers = Callable[..., list[WorkerProcess]]


@pytest.fixture
async def load(amqp_url: str, postgres_with_tables: str) -> AsyncIterator[Load]:
    """People who write into rooms of all shards until the test tells them to stop."""
    async with loaded(amqp_url, postgres_with_tables) as load:
        yield load


@pytest.fixture
def start_workers(
    tmp_path: Path, amqp_url: str, postgres_with_tables: str, redis_url: str
) -> Iterator[StartWorkers]:
    """Start so many workers, side by side, and return when all are ready."""
    with ExitStack() as stack:

        def start(
            count: int = 1, *, redis: str = redis_url, bus: str = amqp_url
        ) -> list[WorkerProcess]:
            started = []
            for _ in range(count):
                folder = tmp_path / f"worker-{len(list(tmp_path.iterdir()))}"
                worker = WorkerProcess(folder, bus=bus, database=postgres_with_tables, redis=redis)
                stack.callback(worker.close)
                worker.launch()
                started.append(worker)
            for worker in started:
                worker.until_ready()
            return started

        yield start


@pytest.fixture
def start(start_workers: StartWorkers) -> Callable[..., "asyncio.Future[list[WorkerProcess]]"]:
    """`start_workers`, while the loop goes on."""

    def begin(count: int = 1, **urls: str) -> "asyncio.Future[list[WorkerProcess]]":
        return asyncio.ensure_future(asyncio.to_thread(start_workers, count, **urls))

    return begin
