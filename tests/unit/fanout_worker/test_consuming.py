"""`consuming`: shards are begun and ended gently, whatever is in hand (I1, I4)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from math import isnan

import pytest
from prometheus_client import CollectorRegistry

from allibe_fanout_worker import consuming as module
from allibe_fanout_worker import retrying
from allibe_fanout_worker.consumer import ShardConsumer
from allibe_fanout_worker.consuming import Consuming
from allibe_fanout_worker.notifier import Notifier
from allibe_fanout_worker.queue_lengths import QueueLengths
from allibe_fanout_worker.retrying import Stall
from allibe_fanout_worker.sequencer import Sequencer
from allibe_services.contracts.commands import Outcome, PostMessage
from allibe_services.contracts.errors import BusUnavailable, StoreUnavailable
from allibe_services.contracts.messages import Message
from allibe_services.runtime import Readiness, Tasks
from allibe_services.telemetry import WorkerMetrics
from tests.support.commands import post
from tests.support.until import until
from tests.unit.fanout_worker.fakes import ONE, FakeLog, FakePresence, FakeStore, ShardedBus


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 0.002)


class SlowLog(FakeLog):
    """Answers when the gate is open; what it was asked is stored before or after, as told."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.stores_first = False
        self.cut_off = 0

    async def append(self, commands: Sequence[PostMessage]) -> list[Outcome]:
        early = await super().append(commands) if self.stores_first else None
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cut_off += 1
            raise
        return early or await super().append(commands)


class World:
    """The shards of one worker over fakes; several may share bus and log."""

    def __init__(self, tasks: Tasks, bus: ShardedBus | None = None) -> None:
        self.bus = bus or ShardedBus()
        self.store = FakeStore()
        self.log = self.store.log = SlowLog()
        self.readiness = Readiness()
        self.registry = CollectorRegistry()
        self.metrics = WorkerMetrics(self.registry)
        self.notifier = Notifier(self.store, FakePresence(), self.bus)
        self.consuming = Consuming(
            self._consumer, readiness=self.readiness, tasks=tasks, metrics=self.metrics
        )

    def _consumer(self, shard: int, stall: Stall) -> ShardConsumer:
        sequencer = Sequencer(self.log, self.metrics, stall)
        return ShardConsumer(self.bus, sequencer, self.notifier.stored, shard, stall, self.metrics)

    @property
    def contents(self) -> list[str]:
        return [message.content for message in self.log.rooms[ONE]]

    @property
    def published(self) -> list[int]:
        return [one.offset for one in self.bus.published if isinstance(one, Message)]

    @property
    def figure(self) -> float | None:
        return self.registry.get_sample_value("allibe_worker_shards")

    async def until_consumed(self, shards: set[int]) -> None:
        await until(lambda: self.bus.consumed == shards)


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.close()


@pytest.fixture
async def world(tasks: Tasks) -> AsyncIterator[World]:
    world = World(tasks)
    yield world
    world.log.gate.set()
    await world.consuming.close()
    assert world.bus.consumed == set()


class TestFigures:
    async def test_each_shard_tells_of_its_oldest_command_while_it_is_consumed(
        self, world: World
    ) -> None:
        def oldest(shard: int) -> float | None:
            labels = {"shard": str(shard)}
            return world.registry.get_sample_value("allibe_worker_oldest_command_seconds", labels)

        world.log.gate.clear()
        world.consuming.consume({3, 5})
        await world.until_consumed({3, 5})
        world.bus.waiting[3] = [post("a")]
        await until(lambda: (oldest(3) or 0) > 0)
        assert oldest(5) == 0
        world.log.gate.set()
        world.consuming.consume({5})
        await world.until_consumed({5})
        await until(lambda: oldest(3) is None)

    async def test_those_that_wait_for_the_database_are_counted(self, world: World) -> None:
        def stalled() -> float | None:
            return world.registry.get_sample_value("allibe_worker_stalled_shards")

        world.log.failures = [StoreUnavailable() for _ in range(100_000)]
        world.consuming.consume({3, 5})
        await world.until_consumed({3, 5})
        assert stalled() == 0
        world.bus.waiting[3] = [post("a")]
        await until(lambda: stalled() == 1)
        world.log.failures.clear()
        await until(lambda: stalled() == 0)

    async def test_how_much_waits_is_shown_of_those_that_are_consumed(self, world: World) -> None:
        def length(shard: int) -> float | None:
            labels = {"shard": str(shard)}
            return world.registry.get_sample_value("allibe_worker_queue_length", labels)

        lengths = QueueLengths(world.bus, lambda: world.consuming.shards, world.metrics)
        world.bus.given.put_nowait([post()])
        world.consuming.consume({3, 5})
        await lengths.look()
        assert (length(3), length(5), length(4)) == (1, 1, None)
        assert world.registry.get_sample_value("allibe_worker_dead_letters") == 2
        world.consuming.consume({5})
        await lengths.look()
        assert (length(3), length(5)) == (None, 1)

    async def test_what_nobody_can_say_is_not_shown(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lengths = QueueLengths(world.bus, lambda: [3], world.metrics)
        await lengths.look()

        async def away(_: object) -> dict[int, int]:
            raise BusUnavailable

        monkeypatch.setattr(world.bus, "lengths", away)
        await lengths.look()
        labels = {"shard": "3"}
        assert world.registry.get_sample_value("allibe_worker_queue_length", labels) is None
        dead_letters = world.registry.get_sample_value("allibe_worker_dead_letters")
        assert dead_letters is not None
        assert isnan(dead_letters)


class TestWhatIsConsumed:
    async def test_it_follows_what_is_asked_for(self, world: World) -> None:
        for shards in ({0, 1, 2}, {2, 3}, set(range(16)), {5}):

            def follows(asked: set[int] = shards) -> bool:
                world.consuming.consume(asked)  # again: one that is still ending has to wait
                return world.bus.consumed == asked

            await until(follows)
            assert max(world.bus.consumers.values()) == 1

    async def test_a_shard_that_stays_is_not_disturbed(self, world: World, tasks: Tasks) -> None:
        world.consuming.consume({0, 1})
        kept = {task for task in asyncio.all_tasks() if task.get_name() == "shard-1"}
        for shards in ({1}, {1, 2}, {1, 2}):
            world.consuming.consume(shards)
            await world.until_consumed(shards)
        assert kept == {task for task in asyncio.all_tasks() if task.get_name() == "shard-1"}
        assert len(kept) == 1
        assert not tasks.failed.done()

    async def test_readiness_and_figures_follow(self, world: World) -> None:
        world.consuming.consume({3, 4})
        assert await world.readiness.report() == {"shard-3": "ok", "shard-4": "ok"}
        assert world.figure == 2
        world.consuming.consume({4})
        await world.until_consumed({4})
        await until(lambda: world.figure == 1)
        assert await world.readiness.report() == {"shard-4": "ok"}

    async def test_a_stalled_shard_that_is_gone_stalls_readiness_no_longer(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "FINISH_SECONDS", 0.01)
        world.log.failures = [StoreUnavailable() for _ in range(10_000)]
        world.bus.waiting[3] = [post()]
        world.consuming.consume({3})
        await until(lambda: world.log.calls > 1)
        assert await world.readiness.report() == {"shard-3": "store_unavailable"}
        world.consuming.consume(())
        await until(lambda: world.figure == 0)
        assert await world.readiness.report() == {}

    async def test_one_that_is_still_ending_is_taken_up_when_asked_for_again(
        self, world: World
    ) -> None:
        """Never two consumers of ours: the checks of readiness have one name."""
        world.bus.closing = 0.02
        world.consuming.consume({0})
        await world.until_consumed({0})
        world.consuming.consume(())
        world.consuming.consume({0})
        await world.until_consumed(set())
        await until(lambda: world.figure == 0)
        world.consuming.consume({0})
        await world.until_consumed({0})
        assert await world.readiness.report() == {"shard-0": "ok"}

    async def test_one_that_has_not_begun_yet_ends(self, world: World) -> None:
        world.consuming.consume({0})
        world.consuming.consume(())
        await world.consuming.close()
        assert world.figure == 0

    async def test_one_that_fails_ends_the_process(self, world: World, tasks: Tasks) -> None:
        world.log.failures = [LookupError("no such table")]
        world.bus.waiting[0] = [post()]
        world.consuming.consume({0, 1})
        with pytest.raises(LookupError):
            await asyncio.wait_for(tasks.failed, 5)
        await world.consuming.close()


class TestLettingGo:
    async def test_what_is_in_hand_is_stored_published_and_acked_first(self, world: World) -> None:
        world.log.gate.clear()
        world.bus.waiting[0] = [post("a"), post("b")]
        world.consuming.consume({0})
        await until(lambda: world.log.calls == 0 and bool(world.bus.consumers[0]))
        await asyncio.sleep(0.01)
        world.consuming.consume(())
        await asyncio.sleep(0.01)
        assert world.bus.consumed == {0}
        world.log.gate.set()
        await world.until_consumed(set())
        assert world.contents == ["a"]
        assert world.bus.steps == [("publish", 1), ("ack", 1)]
        assert world.bus.waiting[0][0].content == "b"
        assert world.log.cut_off == 0

    async def test_what_waits_to_be_published_is_too(self, world: World) -> None:
        world.bus.failures = 10_000
        world.bus.waiting[0] = [post("a")]
        world.consuming.consume({0})
        await until(lambda: len(world.published) > 2)
        world.consuming.consume(())
        await asyncio.sleep(0.01)
        world.bus.failures = 0
        await world.until_consumed(set())
        assert len(world.bus.acked) == 1

    async def test_an_idle_one_ends_at_once(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "FINISH_SECONDS", 1000.0)
        world.consuming.consume(range(16))
        await world.until_consumed(set(range(16)))
        await asyncio.wait_for(world.consuming.close(), 1)

    async def test_one_that_was_busy_once_is_idle_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "FINISH_SECONDS", 1000.0)
        world.bus.waiting[0] = [post("a")]
        world.consuming.consume({0})
        await until(lambda: len(world.bus.acked) == 1)
        await asyncio.wait_for(world.consuming.close(), 1)

    async def test_a_busy_shard_ends_although_more_and_more_comes(self, world: World) -> None:
        world.bus.waiting[0] = [post(str(number)) for number in range(10_000)]
        world.consuming.consume({0})
        await until(lambda: len(world.bus.acked) > 3)
        await asyncio.wait_for(world.consuming.close(), 1)
        assert len(world.bus.waiting[0]) + len(world.contents) == 10_000

    @pytest.mark.parametrize("stored", [False, True])
    async def test_one_that_cannot_finish_is_cut_off_and_the_next_one_heals_it(
        self, world: World, monkeypatch: pytest.MonkeyPatch, tasks: Tasks, stored: bool
    ) -> None:
        """Whether its batch was stored or not: once, in order, and published."""
        monkeypatch.setattr(module, "FINISH_SECONDS", 0.02)
        heir = World(tasks, world.bus)
        heir.log.rooms = world.log.rooms
        world.log.stores_first = stored
        world.log.gate.clear()
        world.bus.waiting[0] = [post("a"), post("b")]
        world.consuming.consume({0})
        heir.consuming.consume({0})
        await asyncio.sleep(0.01)
        world.consuming.consume(())
        await until(lambda: len(world.bus.acked) == 2)
        assert world.log.cut_off == 1
        assert world.contents == ["a", "b"]
        assert world.published == [1, 2]
        await heir.consuming.close()

    async def test_one_that_is_cut_off_while_it_publishes_is_healed_too(
        self, world: World, monkeypatch: pytest.MonkeyPatch, tasks: Tasks
    ) -> None:
        monkeypatch.setattr(module, "FINISH_SECONDS", 0.02)
        world.bus.failures = 1_000_000
        world.bus.waiting[0] = [post("a")]
        world.consuming.consume({0})
        await until(lambda: len(world.published) > 1)
        await world.consuming.close()
        assert world.bus.acked == []
        world.bus.failures = 0
        heir = World(tasks, world.bus)
        heir.log.rooms = world.log.rooms
        heir.consuming.consume({0})
        await until(lambda: len(world.bus.acked) == 1)
        assert set(world.published) == {1}
        assert world.contents == ["a"]
        await heir.consuming.close()

    async def test_the_channel_is_closed_when_it_has_ended_and_not_later(
        self, world: World
    ) -> None:
        """Whenever an abandoned generator is collected would be too late for the next consumer."""
        world.bus.closing = 0.01
        world.bus.waiting[0] = [post("a")]
        world.log.gate.clear()
        world.consuming.consume({0})
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(world.consuming.close())
        await asyncio.sleep(0.01)
        world.log.gate.set()
        await closing
        assert world.bus.consumed == set()

    async def test_closing_waits_for_those_that_were_ending(self, world: World) -> None:
        world.bus.closing = 0.05
        world.consuming.consume({0})
        await world.until_consumed({0})
        world.consuming.consume(())
        await world.consuming.close()
        assert world.bus.consumed == set()
        assert world.figure == 0

    async def test_nothing_is_left_running(self, world: World) -> None:
        world.consuming.consume(range(16))
        await world.consuming.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
