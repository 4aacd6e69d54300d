"""`backend_telemetry`, `store.measured`: what a process stands on, in figures."""

import asyncio
import time
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from allibe_services import backend_telemetry
from allibe_services.backend_telemetry import BackendMetrics, LoopMetrics
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.errors import NotAMember, StoreUnavailable
from allibe_services.store.measured import MeasuredDatabase
from tests.support.commands import post


class Figures:
    """A registry with the metrics, and what it shows of them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = BackendMetrics(self.registry)

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"allibe_{name}", labels)


@pytest.fixture
def figures() -> Figures:
    return Figures()


class FakeDatabase:
    """Answers what the test says, when it says so."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, function: Callable[..., object], *args: object) -> object:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return function(*args)

    write = read

    async def ping(self) -> None:
        await self.read(lambda: None)

    async def close(self) -> None: ...


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def measured(database: FakeDatabase, figures: Figures) -> MeasuredDatabase:
    return MeasuredDatabase(database, figures.metrics)  # type: ignore[arg-type]


def _seven(_: object = None) -> int:
    return 7


class TestDatabase:
    async def test_a_transaction_is_counted_and_timed_by_kind(
        self, measured: MeasuredDatabase, figures: Figures
    ) -> None:
        assert await measured.read(_seven) == 7
        await measured.ping()
        assert figures("database_call_seconds_count", kind="read") == 1
        assert figures("database_call_seconds_count", kind="write") == 1
        assert figures("database_failures_total") == 0

    async def test_those_that_wait_or_run_are_a_figure(
        self, measured: MeasuredDatabase, database: FakeDatabase, figures: Figures
    ) -> None:
        database.gate.clear()
        calls = [asyncio.create_task(measured.ping()) for _ in range(3)]
        await asyncio.sleep(0)
        assert figures("database_calls") == 3
        calls[0].cancel()
        database.gate.set()
        await asyncio.wait(calls)
        assert figures("database_calls") == 0

    async def test_it_is_down_from_a_failure_to_the_next_success(
        self, measured: MeasuredDatabase, database: FakeDatabase, figures: Figures
    ) -> None:
        figures.metrics.watch("database", lambda: measured.is_up)
        assert figures("link_up", link="database") == 1
        database.error = StoreUnavailable()
        with pytest.raises(StoreUnavailable):
            await measured.ping()
        assert figures("link_up", link="database") == 0
        assert figures("database_failures_total") == 1
        database.error = None
        await measured.ping()
        assert figures("link_up", link="database") == 1

    async def test_a_refusal_is_no_failure(
        self, measured: MeasuredDatabase, database: FakeDatabase, figures: Figures
    ) -> None:
        database.error = NotAMember()
        with pytest.raises(NotAMember):
            await measured.ping()
        assert (measured.is_up, figures("database_failures_total")) == (True, 0)


class TestBus:
    async def test_what_senders_are_told_is_counted(self, figures: Figures) -> None:
        bus = InProcessBus(publish_seconds=0.02, most_waiting=2, tell=figures.metrics.posted)
        posted = [bus.post(post(str(number))) for number in range(3)]
        await asyncio.wait(posted)
        for future in posted:
            assert future.exception() is not None
        assert figures("bus_posts_total", result="overloaded") == 1
        assert figures("bus_posts_total", result="not_confirmed") == 2
        assert figures("bus_post_seconds_count") == 0

    async def test_a_confirm_is_counted_once_and_timed_once_a_batch(self, figures: Figures) -> None:
        bus = InProcessBus(tell=figures.metrics.posted)
        futures = [bus.post(post(str(number))) for number in range(3)]
        await asyncio.sleep(0.02)
        async for delivery in bus.deliveries(0, most=10):
            await delivery.ack([None] * 3)  # type: ignore[list-item]
            break
        await asyncio.wait(futures)
        assert figures("bus_posts_total", result="ok") == 3
        assert figures("bus_post_seconds_count") == 1
        assert 0.02 <= (figures("bus_post_seconds_sum") or 0) < 5
        await bus.close()
        assert figures("bus_posts_total", result="shutting_down") == 0

    async def test_who_was_told_in_time_is_not_counted_again(self, figures: Figures) -> None:
        """A confirm that comes late tells nobody anything."""
        bus = InProcessBus(publish_seconds=0.01, tell=figures.metrics.posted)
        future = bus.post(post("a"))
        async for delivery in bus.deliveries(0, most=10):
            await asyncio.wait([future])
            await delivery.ack([None])  # type: ignore[list-item]
            break
        assert future.exception() is not None
        assert figures("bus_posts_total", result="not_confirmed") == 1
        assert figures("bus_posts_total", result="ok") == 0

    def test_every_result_is_there_before_the_first(self, figures: Figures) -> None:
        """A ratio of what was never counted would be unknown, and no alert would come of it."""
        for result in backend_telemetry.POSTED:
            assert figures("bus_posts_total", result=result) == 0

    def test_its_state_is_asked_for_when_figures_are_read(self, figures: Figures) -> None:
        state = {"blocked": False, "waiting": 0}
        figures.metrics.watch_bus(
            is_blocked=lambda: bool(state["blocked"]), waiting=lambda: state["waiting"]
        )
        assert (figures("bus_blocked"), figures("bus_posts_waiting")) == (0, 0)
        state.update(blocked=True, waiting=5)
        assert (figures("bus_blocked"), figures("bus_posts_waiting")) == (1, 5)


async def test_what_holds_up_the_event_loop_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_telemetry, "LOOK_SECONDS", 0.01)
    registry = CollectorRegistry()
    looking = asyncio.create_task(LoopMetrics(registry).run())
    await asyncio.sleep(0)

    def lag(what: str) -> float:
        return registry.get_sample_value(f"allibe_event_loop_lag_seconds_{what}") or 0.0

    time.sleep(0.1)  # noqa: ASYNC251 - this is what it looks for
    async with asyncio.timeout(10):
        while not lag("count"):  # noqa: ASYNC110 - what is polled has no event
            await asyncio.sleep(0.001)
    looking.cancel()
    assert lag("sum") > 0.08
