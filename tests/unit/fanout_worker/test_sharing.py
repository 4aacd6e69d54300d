"""`sharing`: the share follows who lives, and what is unavailable leads to more consumers, not
to fewer."""

import asyncio
from collections.abc import Callable, Collection

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from allibe_fanout_worker import sharing as module
from allibe_fanout_worker.consuming import Consuming
from allibe_fanout_worker.shards import shared
from allibe_fanout_worker.sharing import Sharing, new_worker_id
from allibe_services.contracts.errors import BusUnavailable
from allibe_services.telemetry import WorkerMetrics
from allibe_services.workers.base import LEASE_SECONDS, RENEW_SECONDS
from tests.support.until import until
from tests.unit.fanout_worker.fakes import FakeWorkers, ShardedBus

ALL = set(range(16))


class Recorder(Consuming):
    """`Consuming` that writes down what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[set[int]] = []

    def consume(self, shards: Collection[int]) -> None:
        self.asked.append(set(shards))

    @property
    def now(self) -> set[int]:
        return self.asked[-1]


class World:
    """The worker `me`, and time as the test will have it."""

    def __init__(self, workers: FakeWorkers, name: str = "me") -> None:
        self.workers = workers
        self.time = 1000.0
        self.bus = ShardedBus()
        self.consuming = Recorder()
        self.registry = CollectorRegistry()
        self.sharing = Sharing(
            name,
            workers,
            self.bus,
            self.consuming,
            WorkerMetrics(self.registry),
            clock=lambda: self.time,
        )

    async def renew(self, *, seconds: float = RENEW_SECONDS) -> set[int]:
        """Let time pass, renew, and return what is consumed then."""
        self.time += seconds
        await self.sharing.renew()
        return self.consuming.now

    @property
    def rebalances(self) -> float | None:
        return self.registry.get_sample_value("allibe_worker_rebalances_total")


def share(*live: str, of: str = "me") -> set[int]:
    return shared(live, 16)[of]


def test_no_worker_id_was_there_before() -> None:
    assert len({new_worker_id() for _ in range(1000)}) == 1000


class TestShare:
    async def test_alone_it_is_all_shards_at_once(self) -> None:
        assert await World(FakeWorkers()).renew() == ALL

    async def test_together_it_is_the_share_at_once(self) -> None:
        world = World(FakeWorkers("other"))
        assert await world.renew() == share("me", "other")
        assert world.rebalances == 1

    async def test_when_a_worker_leaves_its_shards_are_taken_up_at_once(self) -> None:
        world = World(FakeWorkers("other"))
        await world.renew()
        world.workers.others.clear()
        assert await world.renew() == ALL
        assert world.rebalances == 2

    async def test_when_one_joins_shards_are_let_go_of_a_renewal_later(self) -> None:
        """The heir stands by then: to let go at once would leave them to nobody for a while."""
        world = World(FakeWorkers())
        await world.renew()
        world.workers.others.add("other")
        assert await world.renew() == ALL
        assert await world.renew() == share("me", "other")
        assert await world.renew() == share("me", "other")
        assert world.rebalances == 2

    async def test_a_worker_that_flaps_disturbs_nothing(self) -> None:
        world = World(FakeWorkers())
        await world.renew()
        for _ in range(5):
            world.workers.others.add("other")
            assert await world.renew() == ALL
            world.workers.others.clear()
            assert await world.renew() == ALL

    async def test_an_answer_without_itself_is_taken_with(self) -> None:
        """Its lease may have ended between renewal and answer."""
        world = World(FakeWorkers("other"))
        world.workers.live = {"me"}

        async def announce(worker_id: str) -> set[str]:
            return {"other"}

        world.workers.announce = announce  # type: ignore[method-assign]
        assert await world.renew() == share("me", "other")

    async def test_two_of_them_consume_every_shard_at_any_moment(self) -> None:
        """However their renewals follow one another: joins, a leave, and membership away."""
        workers = FakeWorkers()
        first, second = World(workers, "first"), World(workers, "second")

        def covered() -> bool:
            return first.consuming.now | second.consuming.now == ALL

        await first.renew()
        await second.renew()
        for order in ((first, second), (second, first)):
            for away in (False, True, True, True, True, False, False, False):
                workers.is_away = away
                for one in order:
                    await one.renew()
                    assert covered()
        assert first.consuming.now.isdisjoint(second.consuming.now)
        assert len(first.consuming.now) == len(second.consuming.now) == 8


class TestMembershipAway:
    async def test_the_share_stays_while_the_others_believe_in_the_lease(self) -> None:
        world = World(FakeWorkers("other"))
        await world.renew()
        world.workers.is_away = True
        for _ in range(2):
            assert await world.renew() == share("me", "other")
        assert await world.renew() == ALL
        assert world.time - 1000 - RENEW_SECONDS == LEASE_SECONDS

    async def test_the_lease_counts_from_when_it_was_asked_for(self) -> None:
        """The answer may have been slow; the others count from before it."""
        world = World(FakeWorkers("other"))
        announce = world.workers.announce

        async def slow(worker_id: str) -> set[str]:
            world.time += 1.5
            return await announce(worker_id)

        world.workers.announce = slow  # type: ignore[method-assign]
        await world.renew()
        world.workers.announce = announce  # type: ignore[method-assign]
        world.workers.is_away = True
        assert await world.renew(seconds=LEASE_SECONDS - 1.5) == ALL

    async def test_away_from_the_start_it_is_all_shards_at_once(self) -> None:
        world = World(FakeWorkers("other"))
        world.workers.is_away = True
        assert await world.renew(seconds=0) == ALL

    async def test_back_it_is_the_share_again(self) -> None:
        world = World(FakeWorkers("other"))
        world.workers.is_away = True
        await world.renew()
        world.workers.is_away = False
        assert await world.renew() == ALL
        assert await world.renew() == share("me", "other")

    async def test_one_success_counts_for_a_whole_lease(self) -> None:
        world = World(FakeWorkers("other"))
        await world.renew()
        for _ in range(10):
            world.workers.failures = [BusUnavailable(), BusUnavailable()]
            for _ in range(3):
                assert await world.renew() == share("me", "other")
        assert world.rebalances == 1

    async def test_one_that_hangs_counts_as_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)
        world = World(FakeWorkers("other"))
        world.workers.hangs = True
        assert await asyncio.wait_for(world.renew(), 1) == ALL

    async def test_it_is_told_once(self) -> None:
        world = World(FakeWorkers("other"))
        with capture_logs() as logs:
            world.workers.is_away = True
            await world.renew()
            await world.renew()
            world.workers.is_away = False
            await world.renew()
            await world.renew()
        told = [line["event"] for line in logs if line["event"].startswith("lease")]
        assert told == ["lease_not_renewed", "lease_renewed_again"]

    async def test_what_is_no_failure_of_membership_ends_the_process(self) -> None:
        world = World(FakeWorkers())
        world.workers.failures = [LookupError("a mistake of ours")]
        with pytest.raises(LookupError):
            await world.renew()


class TestBusAway:
    async def test_a_worker_without_a_bus_lets_its_lease_end(self) -> None:
        """The others believe in it otherwise, and nobody consumes its shards."""
        world = World(FakeWorkers("other"))
        await world.renew()
        world.bus.is_away = True
        for _ in range(2):
            assert await world.renew() == share("me", "other")
        assert await world.renew() == ALL
        assert world.workers.steps == ["announce"]
        world.bus.is_away = False
        await world.renew()
        assert await world.renew() == share("me", "other")

    async def test_one_that_starts_without_a_bus_is_given_nothing(self) -> None:
        world = World(FakeWorkers("other"))
        world.bus.is_away = True
        assert await world.renew() == ALL
        assert world.workers.live == set()


class TestRunning:
    @pytest.fixture
    async def world(self, monkeypatch: pytest.MonkeyPatch) -> World:
        monkeypatch.setattr(module, "RENEW_SECONDS", 0.02)
        world = World(FakeWorkers("other"))
        world.sharing._clock = asyncio.get_running_loop().time
        return world

    async def run_while(self, world: World, condition: Callable[[], bool]) -> None:
        await world.sharing.renew()
        running = asyncio.create_task(world.sharing.run())
        await until(condition)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    async def test_it_renews_again_and_again(self, world: World) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        await self.run_while(world, lambda: len(world.workers.steps) == 6)
        assert 0.09 < clock() - began < 1

    async def test_time_that_a_renewal_takes_is_not_added(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Three that hang fit in a lease, so that its end is noticed in time."""
        world = World(FakeWorkers("other"))
        pauses: list[float] = []

        async def slow(worker_id: str) -> set[str]:
            world.time += 1.5
            return {worker_id}

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            world.time += seconds
            if len(pauses) == 3:
                raise LookupError

        world.workers.announce = slow  # type: ignore[method-assign]
        await world.sharing.renew()
        monkeypatch.setattr(asyncio, "sleep", sleep)
        with pytest.raises(LookupError):
            await world.sharing.run()
        assert pauses == [0.5, 0.5, 0.5]


class TestLeaving:
    async def test_the_others_get_time_to_stand_by(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "HEIR_SECONDS", 0.05)
        world = World(FakeWorkers("other"))
        await world.renew()
        leaving = asyncio.create_task(world.sharing.leave())
        await until(lambda: world.workers.live == set())
        await asyncio.sleep(0.02)
        assert not leaving.done()
        await leaving
        assert world.consuming.asked == [share("me", "other")]

    def test_they_have_renewed_by_then(self) -> None:
        assert RENEW_SECONDS < module.HEIR_SECONDS < LEASE_SECONDS

    async def test_alone_it_leaves_at_once(self) -> None:
        world = World(FakeWorkers())
        await world.renew()
        await asyncio.wait_for(world.sharing.leave(), 0.5)
        assert world.workers.live == set()

    @pytest.mark.parametrize("hangs", [False, True])
    async def test_away_it_leaves_too(self, monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
        """The others learn of it when the lease ends, or consume everything already."""
        world = World(FakeWorkers("other"))
        await world.renew()
        monkeypatch.setattr(module, "RENEW_SECONDS", 0.01)
        world.workers.hangs, world.workers.is_away = hangs, not hangs
        with capture_logs() as logs:
            await asyncio.wait_for(world.sharing.leave(), 0.5)
        assert [line["event"] for line in logs] == ["lease_not_ended"]
