"""`consumer`, `sequencer`, `retrying`: store, then publish, then ack, whatever is away (I1, I4)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from allibe_fanout_worker import retrying
from allibe_fanout_worker.consumer import ShardConsumer
from allibe_fanout_worker.notifier import Notifier
from allibe_fanout_worker.retrying import Stall, until_it_works
from allibe_fanout_worker.sequencer import Sequencer
from allibe_services import log_level
from allibe_services.contracts.commands import Rejected, Stored
from allibe_services.contracts.errors import (
    AllibeError,
    BusUnavailable,
    StoreUnavailable,
    Unavailable,
)
from allibe_services.contracts.messages import Message, now
from allibe_services.telemetry import WorkerMetrics
from tests.support.commands import post
from tests.support.until import until
from tests.unit.fanout_worker.fakes import ONE, FakeBus, FakePresence, FakeStore


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 0.002)


class World:
    """One shard's consumer over fakes."""

    def __init__(self) -> None:
        self.bus = FakeBus()
        self.store = FakeStore()
        self.stall = Stall()
        self.registry = CollectorRegistry()
        self.notifier = Notifier(self.store, FakePresence(), self.bus)
        metrics = WorkerMetrics(self.registry)
        sequencer = Sequencer(self.store.log, metrics, self.stall)
        self.consumer = ShardConsumer(
            self.bus, sequencer, self.notifier.stored, 0, self.stall, metrics
        )
        self.task = asyncio.create_task(self.consumer.run())

    @property
    def stored(self) -> list[tuple[int, str]]:
        return [(one.offset, one.content) for one in self.store.log.rooms[ONE]]

    @property
    def offsets_published(self) -> list[int]:
        return [one.offset for one in self.bus.published if isinstance(one, Message)]

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"allibe_worker_{name}", labels)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.task.cancel()
    await asyncio.wait([world.task])


class TestOneBatch:
    async def test_it_is_stored_published_and_then_acked(self, world: World) -> None:
        """The unacknowledged command is the outbox: an ack before the publish could lose events."""
        commands = [post("a"), post("b")]
        world.bus.given.put_nowait(commands)
        await until(lambda: len(world.bus.acked) == 1)
        assert world.stored == [(1, "a"), (2, "b")]
        assert world.bus.steps == [("publish", 2), ("ack", 2)]
        assert world.offsets_published == [1, 2]
        assert world.bus.acked == [[Stored(one) for one in world.store.log.rooms[ONE]]]
        assert world.figure("messages_stored_total") == 2
        assert world.figure("batch_messages_sum") == 2
        assert world.figure("step_seconds_count", step="store") == 1
        assert world.figure("step_seconds_count", step="publish") == 1

    async def test_duplicates_are_not_stored_but_published_again(self, world: World) -> None:
        """Their event may have been lost with the worker that stored them."""
        command = post("a")
        for _ in range(2):
            world.bus.given.put_nowait([command])
        await until(lambda: len(world.bus.acked) == 2)
        assert world.stored == [(1, "a")]
        assert world.offsets_published == [1, 1]
        assert world.bus.acked[1] == [Stored(world.store.log.rooms[ONE][0], duplicate=True)]
        assert world.figure("messages_duplicate_total") == 1

    async def test_a_rejected_command_is_told_and_shows_nowhere(self, world: World) -> None:
        world.bus.given.put_nowait([post("a"), post("b", room="nowhere"), post("c")])
        await until(lambda: len(world.bus.acked) == 1)
        assert [type(one) for one in world.bus.acked[0]] == [Stored, Rejected, Stored]
        assert world.stored == [(1, "a"), (2, "c")]
        assert world.offsets_published == [1, 2]
        assert world.figure("messages_rejected_total") == 1

    async def test_at_debug_the_log_says_which_were_stored_and_not_what_they_say(
        self, world: World
    ) -> None:
        log_level.set_level("debug")
        try:
            command, refused = post("between us"), post(room="nowhere")
            with capture_logs() as lines:
                world.bus.given.put_nowait([command, refused])
                await until(lambda: len(world.bus.acked) == 1)
        finally:
            log_level.set_level("info")
        by_event = {one["event"]: one for one in lines}
        assert by_event["message_stored"] == {
            "event": "message_stored",
            "log_level": "debug",
            "message": command.message_id,
            "room": ONE,
            "user": command.sender,
            "offset": 1,
        }
        assert by_event["command_rejected"]["message"] == refused.message_id
        assert "between us" not in str(lines)

    async def test_a_batch_of_nothing_but_rejected_ones_is_acked(self, world: World) -> None:
        world.bus.given.put_nowait([post(room="nowhere")])
        await until(lambda: len(world.bus.acked) == 1)
        assert world.bus.published == []


class TestStoreAway:
    """The worker keeps its batch and tries again in place: nothing is lost, nothing overtakes."""

    async def test_nothing_is_acked_or_published_until_it_is_back(self, world: World) -> None:
        world.store.log.failures = [StoreUnavailable() for _ in range(3)]
        world.bus.given.put_nowait([post("a")])
        world.bus.given.put_nowait([post("b")])
        await until(lambda: world.store.log.calls == 3)
        assert world.bus.steps == []
        await until(lambda: len(world.bus.acked) == 2)
        assert world.stored == [(1, "a"), (2, "b")]
        assert world.bus.steps == [("publish", 1), ("ack", 1), ("publish", 1), ("ack", 1)]

    async def test_the_oldest_in_hand_grows_old_meanwhile(self, world: World) -> None:
        world.store.log.failures = [StoreUnavailable() for _ in range(1000)]
        assert world.consumer.oldest_seconds() == 0
        command = post("a")
        world.bus.given.put_nowait([command, post("b")])
        await until(lambda: world.consumer.oldest_seconds() > 0.01)
        before = (now() - command.sent_at).total_seconds()
        assert world.consumer.oldest_seconds() >= before
        world.store.log.failures.clear()
        await until(lambda: len(world.bus.acked) == 1)
        await until(lambda: world.consumer.oldest_seconds() == 0)

    async def test_readiness_says_so_meanwhile(self, world: World) -> None:
        await world.stall.check()
        world.store.log.failures = [StoreUnavailable() for _ in range(1000)]
        world.bus.given.put_nowait([post("a")])
        await until(lambda: world.stall.error is not None)
        with pytest.raises(StoreUnavailable):
            await world.stall.check()
        world.store.log.failures.clear()
        await until(lambda: len(world.bus.acked) == 1)
        await world.stall.check()

    async def test_a_batch_whose_answer_was_lost_keeps_its_offsets(self, world: World) -> None:
        """The write was committed after its time limit: the second try finds it."""
        world.store.log.lost_answers = 1
        world.bus.given.put_nowait([post("a"), post("b")])
        await until(lambda: len(world.bus.acked) == 1)
        assert world.stored == [(1, "a"), (2, "b")]
        assert world.offsets_published == [1, 2]

    async def test_what_no_waiting_mends_ends_the_process(self, world: World) -> None:
        """Started again, it gets the same batch; in silence it would stand still for ever."""
        world.store.log.failures = [LookupError("no such table")]
        world.bus.given.put_nowait([post("a")])
        with pytest.raises(LookupError):
            await world.task
        assert world.bus.acked == []


class TestBusAway:
    async def test_the_same_events_go_out_again_and_then_the_ack(self, world: World) -> None:
        """Some may have gone out: gateways drop what they have by its offset."""
        world.bus.failures = 2
        world.bus.given.put_nowait([post("a"), post("b")])
        await until(lambda: len(world.bus.acked) == 1)
        assert world.offsets_published == [1, 2] * 3
        assert world.bus.steps == [("publish", 2)] * 3 + [("ack", 2)]
        assert world.store.log.calls == 1
        assert world.stall.error is None


class TestEnding:
    async def test_one_that_is_cancelled_before_the_ack_acks_nothing(self, world: World) -> None:
        world.store.log.failures = [StoreUnavailable() for _ in range(1000)]
        world.bus.given.put_nowait([post("a")])
        await until(lambda: world.store.log.calls > 1)
        world.task.cancel()
        await asyncio.wait([world.task])
        assert world.bus.steps == []

    async def test_it_ends_with_the_bus(self, world: World) -> None:
        world.bus.given.put_nowait(None)
        await asyncio.wait_for(world.task, 5)


class TestRetrying:
    """Growing pauses with a limit; only what is `Unavailable` is tried again."""

    async def test_pauses_grow_up_to_the_longest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pauses: list[float] = []

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)

        monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.05)
        monkeypatch.setattr(retrying, "LONGEST_PAUSE", 2.0)
        failures: list[Unavailable] = [BusUnavailable() for _ in range(10)]

        async def call() -> str:
            if failures:
                raise failures.pop()
            return "done"

        with monkeypatch.context() as patch:
            patch.setattr(asyncio, "sleep", sleep)
            assert await until_it_works(call, step="s", stall=Stall()) == "done"
        assert len(pauses) == 10
        for number, pause in enumerate(pauses):
            most = min(0.05 * 2**number, 2.0)
            assert most / 2 <= pause <= most

    async def test_a_refusal_is_not_tried_again(self) -> None:
        async def call() -> None:
            raise AllibeError

        with pytest.raises(AllibeError):
            await until_it_works(call, step="s", stall=Stall())
