"""`app`: a worker as one resource of a process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

import pytest
from prometheus_client import CollectorRegistry

from allibe_fanout_worker import consuming, sharing
from allibe_fanout_worker.app import worker
from allibe_services.bus.base import Bus
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.commands import Stored
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.events import Event, Notification, RoomChanged
from allibe_services.contracts.routing import user_key
from allibe_services.runtime import Readiness, Tasks
from allibe_services.telemetry import WorkerMetrics
from allibe_services.workers.base import Workers
from allibe_services.workers.inprocess import InProcessWorkers
from tests.support.commands import post
from tests.support.until import until
from tests.unit.fanout_worker.fakes import (
    BOB,
    ONE,
    FakePresence,
    FakeStore,
    FakeWorkers,
    ShardedBus,
)


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


class World:
    """What several workers share, except for readiness, of which each has its own."""

    def __init__(self, tasks: Tasks, bus: Bus, workers: Workers | None = None) -> None:
        self.tasks, self.bus = tasks, bus
        self.store, self.presence = FakeStore(), FakePresence()
        self.workers = workers or InProcessWorkers()

    def one(self, readiness: Readiness | None = None) -> AbstractAsyncContextManager[None]:
        return worker(
            bus=self.bus,
            store=self.store,
            presence=self.presence,
            workers=self.workers,
            metrics=WorkerMetrics(CollectorRegistry()),
            readiness=readiness or Readiness(),
            tasks=self.tasks,
        )


class Heard:
    """`EventHandler` that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_events(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def on_doubt(self) -> None: ...


class TestAlone:
    async def test_it_consumes_while_it_lasts_and_leaves_the_rest_to_the_bus(
        self, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consuming, "FINISH_SECONDS", 0.05)
        bus, readiness = InProcessBus(), Readiness()
        world = World(tasks, bus)
        store = world.store
        async with world.one(readiness):
            assert isinstance(await bus.post(post("a")), Stored)
            assert await readiness.report() == {"shard-0": "ok"}
            store.log.failures = [StoreUnavailable() for _ in range(1000)]
            left = bus.post(post("b"))
            await until(lambda: store.log.calls > 1)
            assert await readiness.report() == {"shard-0": "store_unavailable"}
        assert not left.done()
        assert await readiness.report() == {}
        store.log.failures.clear()

        async with world.one():
            assert isinstance(await left, Stored)
        assert not tasks.failed.done()

    async def test_it_consumes_at_once(self, tasks: Tasks) -> None:
        """`allibe serve` takes connections right after."""
        bus = InProcessBus()
        early = bus.post(post("a"))
        async with World(tasks, bus).one(), asyncio.timeout(0.5):
            assert isinstance(await early, Stored)

    async def test_what_was_stored_last_is_told_before_it_ends(self, tasks: Tasks) -> None:
        """Else each rolling restart would leave out some notifications."""
        bus, heard = InProcessBus(), Heard()
        world = World(tasks, bus)
        world.store.members.of = {ONE: {BOB: 1}}
        world.presence.here = {BOB}
        await (await bus.listen(heard)).bind([user_key(BOB)])
        async with world.one():
            assert isinstance(await bus.post(post("a")), Stored)
        assert [type(event) for event in heard.events] == [RoomChanged, Notification]

    async def test_it_ends_at_once_when_it_has_nothing_in_hand(self, tasks: Tasks) -> None:
        async with asyncio.timeout(0.5):
            async with World(tasks, ShardedBus()).one():
                pass

    async def test_an_error_in_the_process_ends_it_too(self, tasks: Tasks) -> None:
        bus = ShardedBus()

        async def process() -> None:
            async with World(tasks, bus).one():
                await until(lambda: len(bus.consumed) == 16)
                raise LookupError

        with pytest.raises(LookupError):
            await process()
        assert bus.consumed == set()

    async def test_a_shard_that_fails_ends_the_process(self, tasks: Tasks) -> None:
        bus = ShardedBus()
        world = World(tasks, bus)
        async with world.one():
            world.store.log.failures = [LookupError("no such table")]
            bus.waiting[3] = [post()]
            with pytest.raises(LookupError):
                await asyncio.wait_for(tasks.failed, 5)

    async def test_a_sharing_that_fails_ends_the_process(
        self, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sharing, "RENEW_SECONDS", 0.01)
        workers = FakeWorkers()
        async with World(tasks, ShardedBus(), workers).one():
            workers.failures = [LookupError("a mistake of ours")]
            with pytest.raises(LookupError):
                await asyncio.wait_for(tasks.failed, 5)


class TestTogether:
    @pytest.fixture(autouse=True)
    def _fast(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sharing, "RENEW_SECONDS", 0.02)
        monkeypatch.setattr(sharing, "HEIR_SECONDS", 0.06)

    async def test_two_share_and_hand_over_without_a_moment_of_nobody(self, tasks: Tasks) -> None:
        bus, one, two = ShardedBus(), Readiness(), Readiness()
        world = World(tasks, bus)
        async with world.one(one):
            await until(lambda: len(bus.consumed) == 16)
            watching = asyncio.create_task(_least(bus))
            async with world.one(two):
                await until(lambda: sum(bus.consumers.values()) == 24)
                await until(lambda: sum(bus.consumers.values()) == 16)
                await _have_eight_checks_each(one, two)
                assert set(await one.report()).isdisjoint(await two.report())
            await until(lambda: sum(bus.consumers.values()) == 16)
            watching.cancel()
            await asyncio.wait([watching])
            assert watching.cancelled()
            assert len(await one.report()) == 16
            bus.waiting = {shard: [post(str(shard))] for shard in range(16)}
            await until(lambda: len(world.store.log.rooms[ONE]) == 16)

    async def test_it_renews_no_more_once_it_has_left(self, tasks: Tasks) -> None:
        """Or the others would wait for its lease to end."""
        workers = FakeWorkers("other")
        async with World(tasks, ShardedBus(), workers).one():
            await until(lambda: len(workers.steps) > 2)
        assert workers.steps.index("leave") == len(workers.steps) - 1
        assert workers.live == set()

    async def test_it_leaves_before_it_lets_go(self, tasks: Tasks) -> None:
        workers, bus = FakeWorkers("other"), ShardedBus()
        async with World(tasks, bus, workers).one():
            await until(lambda: len(bus.consumed) == 8)
            leave, consumed = workers.leave, []

            async def leaving(worker_id: str) -> None:
                await leave(worker_id)
                consumed.append(len(bus.consumed))

            workers.leave = leaving  # type: ignore[method-assign]
        assert consumed == [8]
        assert bus.consumed == set()


async def _have_eight_checks_each(*processes: Readiness) -> None:
    """Return once they do: a shard's check goes a moment after its consumer."""
    async with asyncio.timeout(5):
        while [len(await one.report()) for one in processes] != [8, 8]:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def _least(bus: ShardedBus) -> None:
    """Fail as soon as a shard has no consumer."""
    while True:
        assert len(bus.consumed) == 16
        await asyncio.sleep(0)
