"""`presence_reporter`: who is here, in batches; presence may be away."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

import pytest

from allibe_gateway import presence_reporter as module
from allibe_gateway.presence_reporter import PresenceReporter
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import Lease, Lookers, Screens
from tests.support.until import until
from tests.unit.gateway.fakes import settle

ALICE = UserId("alice")
ONE = RoomId("1")


class FakePresence:
    """Keeps each call; away on demand."""

    def __init__(self) -> None:
        self.renewed: list[list[Lease]] = []
        self.ended: list[set[str]] = []
        self.away = False

    async def renew(self, leases: Sequence[Lease]) -> None:
        if self.away:
            raise StoreUnavailable
        self.renewed.append(list(leases))

    async def end(self, connection_ids: Collection[str]) -> None:
        if self.away:
            raise StoreUnavailable
        self.ended.append(set(connection_ids))

    async def screens(self, users: Collection[UserId]) -> Screens:
        raise NotImplementedError

    async def lookers(self, rooms: Collection[RoomId], *, most: int) -> dict[RoomId, Lookers]:
        raise NotImplementedError

    async def ping(self) -> None: ...

    async def close(self) -> None: ...

    @property
    def leases(self) -> list[Lease]:
        return [lease for call in self.renewed for lease in call]


class Here:
    """A connection, as presence sees it."""

    def __init__(self, connection_id: str, *rooms: RoomId) -> None:
        self.current: Lease | None = Lease(connection_id, ALICE, rooms)

    def lease(self) -> Lease | None:
        return self.current


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.001)


@pytest.fixture
def presence() -> FakePresence:
    return FakePresence()


@pytest.fixture
def reporter(presence: FakePresence) -> PresenceReporter:
    return PresenceReporter(presence)


@pytest.fixture
async def running(reporter: PresenceReporter) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(reporter.run())
    yield task
    task.cancel()


class TestReports:
    async def test_changes_of_one_moment_go_out_together(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        a, b = Here("a"), Here("b")
        reporter.changed("a", a)
        reporter.changed("b", b)
        a.current = Lease("a", ALICE, (ONE,))
        reporter.changed("a", a)
        await reporter.report()
        assert presence.renewed in ([[a.current, b.current]], [[b.current, a.current]])

    async def test_nothing_new_is_not_said_again(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        reporter.changed("a", Here("a"))
        await reporter.report()
        await reporter.report()
        assert len(presence.leases) == 1

    async def test_where_somebody_came_or_went_is_told_once_presence_knows(
        self, presence: FakePresence
    ) -> None:
        told: list[tuple[int, set[RoomId]]] = []
        reporter = PresenceReporter(
            presence, lambda rooms: told.append((len(presence.renewed), set(rooms)))
        )
        reporter.changed("a", Here("a", ONE), ONE)
        reporter.changed("b", Here("b"))
        presence.away = True
        await reporter.report()
        assert told == []
        presence.away = False
        await reporter.report()
        reporter.changed("a", Here("a"), ONE)
        reporter.ended("a")
        await reporter.report()
        await reporter.report()
        assert told == [(1, {ONE}), (2, {ONE}), (3, set())]

    async def test_nobody_is_reported_before_the_sign_in(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        stranger = Here("a")
        stranger.current = None
        reporter.changed("a", stranger)
        await reporter.report()
        assert presence.leases == []

    async def test_an_end_is_said_and_what_it_had_is_not(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        reporter.changed("a", Here("a"))
        reporter.ended("a")
        reporter.ended("a")
        reporter.ended("stranger")
        await reporter.report()
        assert (presence.leases, presence.ended) == ([], [{"a"}])

    @pytest.mark.usefixtures("running")
    async def test_a_change_is_reported_soon(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        reporter.changed("a", Here("a"))
        await until(lambda: len(presence.leases) == 1)
        reporter.ended("a")
        await until(lambda: {"a"} in presence.ended)


class TestRenewal:
    """Leases are renewed well before they end, however busy or quiet the gateway is."""

    @pytest.fixture(autouse=True)
    def _often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "RENEW_SECONDS", 0.02)

    async def test_a_quiet_connection_is_renewed(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        running = asyncio.create_task(reporter.run())
        reporter.changed("a", Here("a"))
        await until(lambda: len(presence.leases) >= 4)
        running.cancel()

    async def test_so_it_is_while_others_come_and_go_all_the_time(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        """On a busy gateway there is never a pause as long as `RENEW_SECONDS`."""
        running = asyncio.create_task(reporter.run())
        quiet, busy = Here("quiet"), Here("busy")
        reporter.changed("quiet", quiet)

        def renewed() -> bool:
            reporter.changed("busy", busy)
            return [lease.connection_id for lease in presence.leases].count("quiet") >= 3

        await until(renewed)
        running.cancel()


async def test_a_report_returns_after_the_one_that_goes_on(
    presence: FakePresence, reporter: PresenceReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one of a gateway that stops: what goes on would be cut short after it."""
    free = asyncio.Event()

    async def renew(leases: Sequence[Lease]) -> None:
        if leases:
            await free.wait()

    monkeypatch.setattr(presence, "renew", renew)
    reporter.changed("a", Here("a"))
    first = asyncio.create_task(reporter.report())
    await settle()
    last = asyncio.create_task(reporter.report())
    await settle()
    assert not last.done()
    free.set()
    await last
    assert first.done()


class TestAway:
    """Chat does not notice; what was not said is said when presence is back."""

    async def test_what_was_not_said_is_said_by_the_next_report(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        presence.away = True
        reporter.changed("a", Here("a"))
        reporter.changed("b", Here("b"))
        await reporter.report()
        reporter.ended("b")
        presence.away = False
        reporter.changed("c", Here("c"))
        await reporter.report()
        assert {lease.connection_id for lease in presence.leases} == {"a", "c"}

    async def test_ends_that_were_not_said_are_not_kept(
        self, presence: FakePresence, reporter: PresenceReporter
    ) -> None:
        """I7: presence may be away for hours. Those leases end by themselves."""
        presence.away = True
        for number in range(1000):
            reporter.changed(str(number), Here(str(number)))
            reporter.ended(str(number))
            await reporter.report()
        assert len(reporter._ended) + len(reporter._changed) + len(reporter._here) <= 2

    async def test_the_reporter_goes_on(
        self, presence: FakePresence, reporter: PresenceReporter, running: "asyncio.Task[None]"
    ) -> None:
        presence.away = True
        reporter.changed("a", Here("a"))
        await asyncio.sleep(0.01)
        presence.away = False
        reporter.changed("b", Here("b"))
        await until(lambda: {lease.connection_id for lease in presence.leases} == {"a", "b"})
        await settle()

    async def test_as_soon_as_it_is_back_it_is_told_of_everybody(
        self, presence: FakePresence, reporter: PresenceReporter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may have lost all, and what the notifier has put off is for who is connected."""
        monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
        running = asyncio.create_task(reporter.run())
        reporter.changed("quiet", Here("quiet"))
        await until(lambda: len(presence.leases) == 1)
        presence.renewed.clear()
        presence.away = True
        reporter.changed("a", Here("a"))
        await asyncio.sleep(0.02)
        presence.away = False
        await until(lambda: {lease.connection_id for lease in presence.leases} == {"a", "quiet"})
        running.cancel()
        assert not running.done()
