"""`screens`: who has a room on the screen, for those who subscribe to its activity."""

import asyncio
from collections.abc import AsyncIterator, Collection

import pytest

from allibe_gateway import screens as module
from allibe_gateway.fanout.activity import CROWD
from allibe_gateway.screens import ScreenNews, Screens
from allibe_services.contracts.errors import LeasesUnavailable
from allibe_services.contracts.events import RoomPresence, ScreensChanged
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import LEASE_SECONDS, Lease, Lookers
from allibe_services.presence.inprocess import InProcessPresence
from tests.support.until import until
from tests.unit.gateway.fakes import ROOM, FakeBus, settle
from tests.unit.gateway.world import ALICE, BOB, OTHER


class FakeHub:
    """Keeps what is shown."""

    def __init__(self, *rooms: RoomId) -> None:
        self.rooms = list(rooms)
        self.shown: list[RoomPresence] = []

    def watched(self) -> list[RoomId]:
        return self.rooms

    def show_presence(self, presence: RoomPresence) -> None:
        self.shown.append(presence)


class CountedPresence(InProcessPresence):
    """Knows how often it was asked; away on demand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(clock=lambda: self.seconds)
        self.asked: list[set[RoomId]] = []
        self.away = False

    async def lookers(self, rooms: Collection[RoomId], *, most: int) -> dict[RoomId, Lookers]:
        self.asked.append(set(rooms))
        if self.away:
            raise LeasesUnavailable
        return await super().lookers(rooms, most=most)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.001)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(module, "NEWS_SECONDS", 0.001)


@pytest.fixture
def presence() -> CountedPresence:
    return CountedPresence()


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub(ROOM)


@pytest.fixture
def screens(presence: CountedPresence, hub: FakeHub) -> Screens:
    return Screens(presence, hub)


@pytest.fixture
async def _running(screens: Screens) -> AsyncIterator[None]:
    task = asyncio.create_task(screens.run())
    yield
    task.cancel()


def crowd(size: int) -> list[Lease]:
    return [Lease(f"c{n}", UserId(f"u{n}"), (ROOM,)) for n in range(size)]


async def test_who_is_here_is_named_in_order(
    presence: CountedPresence, hub: FakeHub, screens: Screens
) -> None:
    await presence.renew([Lease("b", BOB, (ROOM,)), Lease("a", ALICE, (ROOM, OTHER))])
    screens.changed(ROOM)
    await screens.show()
    assert hub.shown == [RoomPresence(ROOM, 2, (ALICE, BOB))]
    await screens.show()
    assert presence.asked == [{ROOM}]


async def test_a_crowd_is_counted(
    presence: CountedPresence, hub: FakeHub, screens: Screens
) -> None:
    await presence.renew(crowd(CROWD + 1))
    screens.changed(ROOM)
    await screens.show()
    assert hub.shown == [RoomPresence(ROOM, CROWD + 1)]
    await presence.end(["c0"])
    screens.refresh()
    await screens.show()
    assert hub.shown[-1].count == CROWD
    assert len(hub.shown[-1].users or ()) == CROWD


async def test_a_crowd_is_asked_about_only_now_and_then(
    presence: CountedPresence, hub: FakeHub, screens: Screens
) -> None:
    """Ten thousand who come would else make an event a second for ten thousand."""
    await presence.renew(crowd(CROWD + 1))
    for _ in range(5):
        screens.changed(ROOM)
        await screens.show()
    assert len(presence.asked) == 1
    screens.refresh()
    await screens.show()
    assert len(presence.asked) == 2


async def test_where_nobody_looks_any_more_a_crowd_is_forgotten(
    presence: CountedPresence, hub: FakeHub, screens: Screens
) -> None:
    await presence.renew(crowd(CROWD + 1))
    screens.changed(ROOM)
    await screens.show()
    hub.rooms.clear()
    screens.refresh()
    screens.changed(ROOM)
    await screens.show()
    assert len(presence.asked) == 2


@pytest.mark.usefixtures("_running")
async def test_changes_of_one_moment_are_one_question(
    presence: CountedPresence, hub: FakeHub, screens: Screens
) -> None:
    for _ in range(100):
        screens.changed(ROOM)
        screens.changed(OTHER)
    await until(lambda: bool(hub.shown))
    await asyncio.sleep(0.02)
    assert presence.asked == [{ROOM, OTHER}]


@pytest.mark.usefixtures("_running")
class TestNowAndThen:
    @pytest.fixture(autouse=True)
    def _often(self, monkeypatch: pytest.MonkeyPatch, _quick: None) -> None:
        monkeypatch.setattr(module, "REFRESH_SECONDS", 0.01)

    async def test_leases_that_ended_by_themselves_are_found(
        self, presence: CountedPresence, hub: FakeHub
    ) -> None:
        """Their gateway died, and nobody tells of it."""
        await presence.renew([Lease("a", ALICE, (ROOM,))])
        await until(lambda: RoomPresence(ROOM, 1, (ALICE,)) in hub.shown)
        presence.seconds += LEASE_SECONDS
        await until(lambda: hub.shown[-1] == RoomPresence(ROOM, 0, ()))

    async def test_a_presence_that_was_away_is_asked_again(
        self, presence: CountedPresence, hub: FakeHub
    ) -> None:
        presence.away = True
        await until(lambda: len(presence.asked) > 3)
        assert hub.shown == []
        presence.away = False
        await until(lambda: bool(hub.shown))


class TestNews:
    async def test_all_rooms_of_a_moment_are_told_at_once(self) -> None:
        bus = FakeBus()
        news = ScreenNews(bus)
        task = asyncio.create_task(news.run())
        news.tell([])
        await settle()
        assert bus.published == []
        for _ in range(10):
            news.tell([ROOM, OTHER])
        await until(lambda: bool(bus.published))
        assert sorted(bus.published, key=str) == [ScreensChanged(ROOM), ScreensChanged(OTHER)]
        task.cancel()

    async def test_a_bus_that_is_away_ends_nothing(self) -> None:
        bus = FakeBus()
        bus.away = True
        news = ScreenNews(bus)
        task = asyncio.create_task(news.run())
        news.tell([ROOM])
        await settle()
        bus.away = False
        news.tell([OTHER])
        await until(lambda: bool(bus.published))
        assert bus.published == [ScreensChanged(OTHER)]
        task.cancel()
