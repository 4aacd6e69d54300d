"""`fanout.hub`: bindings that follow subscribers, dispatch, one flush per tick, comparisons."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from allibe_gateway import comparing
from allibe_gateway.fanout import hub as module
from allibe_gateway.fanout.hub import Hub
from allibe_services.contracts.errors import BusUnavailable, StoreUnavailable, UnknownRoom
from allibe_services.contracts.events import RoomLeft, Typing, UserEvent
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.telemetry import GatewayMetrics
from tests.unit.gateway.fakes import (
    ROOM,
    FakeBus,
    FakeLog,
    Subscriber,
    TextView,
    message,
    settle,
    until,
)
from tests.unit.gateway.fanout.feeds import LIMITS, at

ALICE, BOB = UserId("alice"), UserId("bob")
OTHER = RoomId("2")
VIEW = TextView()


class Listener:
    """A session, as the hub sees it."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.events: list[UserEvent] = []
        self.resets: list[RoomId] = []
        self.revocations = 0

    def on_user_event(self, event: UserEvent) -> None:
        self.events.append(event)
        if self.broken:
            raise LookupError

    def on_log_reset(self, room_id: RoomId) -> None:
        self.resets.append(room_id)
        if self.broken:
            raise LookupError

    def on_revocations(self) -> None:
        self.revocations += 1

    def rooms(self) -> set[RoomId]:
        return set()


class World:
    """A hub over a bus and a log that the test controls."""

    def __init__(self) -> None:
        self.bus = FakeBus()
        self.log = FakeLog()
        self.log.rooms[OTHER] = []
        self.registry = CollectorRegistry()
        self.hub = Hub(self.bus, self.log, LIMITS, GatewayMetrics(self.registry))

    def figure(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"allibe_gateway_{name}")

    async def join(self, room: RoomId = ROOM, subscriber: Subscriber | None = None) -> Subscriber:
        subscriber = subscriber or Subscriber()
        await self.hub.join(room, VIEW, subscriber.outbox, None)
        return subscriber


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.hub.open()
    yield world
    await world.hub.close()


@pytest.fixture
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.01)


class TestEntering:
    """A room is bound, then read, once, before its first subscriber joins."""

    async def test_the_room_is_bound_before_its_head_is_read(self, world: World) -> None:
        """Else an event between the two would be lost."""
        world.bus.free_to_bind.clear()
        joining = asyncio.create_task(world.join())
        await settle()
        assert world.bus.calls == [("bind", "room.1")]
        assert world.log.reads == []
        world.bus.free_to_bind.set()
        await joining
        assert world.log.reads == [("heads", 0)]

    async def test_many_who_come_at_once_bind_and_read_once(self, world: World) -> None:
        await asyncio.gather(*(world.join() for _ in range(10)))
        assert world.bus.calls == [("bind", "room.1")]
        assert world.log.reads == [("heads", 0)]
        assert world.figure("rooms") == 1

    async def test_log_and_activity_share_the_room(self, world: World) -> None:
        watcher = Subscriber()
        await world.hub.join_activity(ROOM, VIEW, watcher.outbox)
        await world.join()
        assert world.bus.calls == [("bind", "room.1")]

    @pytest.mark.parametrize("fault", ["store", "room", "bus"])
    async def test_a_room_that_does_not_open_leaves_no_binding_and_can_be_tried_again(
        self, world: World, fault: str
    ) -> None:
        world.log.away, world.bus.away = fault == "store", fault == "bus"
        if fault == "room":
            del world.log.rooms[ROOM]
        with pytest.raises((StoreUnavailable, UnknownRoom, BusUnavailable)):
            await world.join()
        await until(lambda: not world.bus.keys)
        assert world.figure("rooms") == 0

        world.log.away = world.bus.away = False
        world.log.rooms.setdefault(ROOM, [])
        await world.join()
        await settle()
        assert world.bus.keys == {"room.1"}

    async def test_all_who_waited_are_told_why(self, world: World) -> None:
        world.log.away = True
        results = await asyncio.gather(*(world.join() for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in results] == [StoreUnavailable] * 3

    async def test_one_who_gives_up_while_it_opens_does_not_harm_the_others(
        self, world: World
    ) -> None:
        world.bus.free_to_bind.clear()
        first, second = (asyncio.create_task(world.join()) for _ in range(2))
        await settle()
        first.cancel()
        await settle()
        world.bus.free_to_bind.set()
        subscriber = await second
        world.hub.on_events(world.log.commit())
        await settle()
        assert subscriber.offsets == [1]

    @pytest.mark.usefixtures("short_linger")
    async def test_a_room_that_everybody_gave_up_on_is_unbound(self, world: World) -> None:
        world.bus.free_to_bind.clear()
        joining = asyncio.create_task(world.join())
        await settle()
        joining.cancel()
        await settle()
        world.bus.free_to_bind.set()
        await settle()
        assert world.bus.keys == {"room.1"}
        await until(lambda: not world.bus.keys)

    async def test_an_opening_that_fails_for_nobody_is_not_left_unretrieved(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.bus.free_to_bind.clear()
        joining = asyncio.create_task(world.join())
        await settle()
        joining.cancel()
        await settle()
        world.bus.away = True
        world.bus.free_to_bind.set()
        await settle()
        gc.collect()
        assert caplog.records == []

    async def test_a_recovery_that_fails_counts_nobody_as_subscribed(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await world.join()
        world.log.away = True
        with pytest.raises(StoreUnavailable):
            await world.hub.join(ROOM, VIEW, Subscriber().outbox, at(9))
        monkeypatch.setattr(module, "LINGER_SECONDS", 0.0)
        world.log.away = False
        subscriber = await world.join()
        world.hub.part(ROOM, VIEW, subscriber.outbox)
        await asyncio.sleep(0.005)
        assert world.bus.keys == {"room.1"}  # the first subscriber's


@pytest.mark.usefixtures("short_linger")
class TestLeaving:
    """A room stays bound a little after its last subscriber: people come back."""

    async def test_the_last_to_leave_unbinds_it_after_a_while(self, world: World) -> None:
        first, second = await world.join(), await world.join()
        world.hub.part(ROOM, VIEW, first.outbox)
        world.hub.part(ROOM, VIEW, second.outbox)
        assert world.bus.keys == {"room.1"}
        await until(lambda: not world.bus.keys)
        assert world.figure("rooms") == 0

    async def test_while_somebody_is_left_it_stays(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LINGER_SECONDS", 0.0)
        first, second = await world.join(), await world.join()
        world.hub.part(ROOM, VIEW, first.outbox)
        world.hub.part(ROOM, VIEW, first.outbox)  # twice is no matter
        await asyncio.sleep(0.005)
        world.hub.on_events(world.log.commit())
        await settle()
        assert (first.offsets, second.offsets) == ([], [1])
        assert world.bus.keys == {"room.1"}

    async def test_who_comes_back_in_time_finds_it_open(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LINGER_SECONDS", 3600.0)
        subscriber = await world.join()
        world.hub.part(ROOM, VIEW, subscriber.outbox)
        world.hub.on_events(world.log.commit(2))  # it goes on listening meanwhile
        joined = await world.hub.join(ROOM, VIEW, subscriber.outbox, at(0))
        assert joined.recovered
        assert subscriber.offsets == [1, 2]
        assert world.log.reads == [("heads", 0)]
        assert world.bus.calls == [("bind", "room.1")]

    async def test_who_comes_back_while_it_is_being_unbound_is_bound_in_the_end(
        self, world: World
    ) -> None:
        """The unbind that is on its way must not come after the new bind."""
        subscriber = await world.join()
        world.bus.free_to_unbind.clear()
        world.hub.part(ROOM, VIEW, subscriber.outbox)
        await until(lambda: ("unbind", "room.1") in world.bus.calls)
        joining = asyncio.create_task(world.join())
        await settle()
        world.bus.free_to_unbind.set()
        subscriber = await joining
        await settle()
        assert world.bus.keys == {"room.1"}
        world.hub.on_events(world.log.commit())
        await settle()
        assert subscriber.offsets == [1]

    async def test_parting_from_a_room_that_is_not_open_is_no_matter(self, world: World) -> None:
        world.hub.part(OTHER, VIEW, Subscriber().outbox)
        world.hub.part_activity(OTHER, VIEW, Subscriber().outbox)


class TestEvents:
    async def test_each_room_has_its_own_subscribers(self, world: World) -> None:
        """I6: nothing crosses rooms."""
        one, two = await world.join(ROOM), await world.join(OTHER)
        world.hub.on_events([*world.log.commit(room=ROOM), *world.log.commit(2, room=OTHER)])
        await settle()
        assert (one.offsets, two.offsets) == ([1], [1, 2])

    async def test_an_event_of_a_room_without_subscribers_is_no_matter(self, world: World) -> None:
        """It may still arrive after the unbind (`Listening.unbind`)."""
        world.hub.on_events([message(1), Typing(room_id=ROOM, user=ALICE)])

    async def test_a_tick_is_one_write_and_is_counted(self, world: World) -> None:
        subscribers = [await world.join() for _ in range(3)]
        world.hub.on_events(world.log.commit(2))
        world.hub.on_events(world.log.commit(2))
        await settle()
        assert [len(one.transport.written) for one in subscribers] == [1, 1, 1]
        assert world.figure("deliveries_total") == 12
        assert world.figure("send_to_delivery_seconds_count") == 4

    async def test_activity_goes_to_its_own_subscribers(self, world: World) -> None:
        subscriber, watcher = await world.join(), Subscriber()
        await world.hub.join_activity(ROOM, VIEW, watcher.outbox)
        world.hub.on_events([Typing(room_id=ROOM, user=ALICE)])
        await settle()
        assert (subscriber.frames, watcher.frames) == ([], ["v:0"])
        world.hub.part_activity(ROOM, VIEW, watcher.outbox)
        world.hub.on_events([Typing(room_id=ROOM, user=ALICE)])
        await settle()
        assert watcher.frames == ["v:0"]

    async def test_gaps_are_counted(self, world: World) -> None:
        subscriber = await world.join()
        world.hub.on_events(world.log.commit(3)[2:])
        await until(lambda: subscriber.offsets == [1, 2, 3])
        assert world.figure("gaps_total") == 1


class TestComparing:
    """A lost last event is found when the bus was in doubt, and every half a minute (I8)."""

    async def test_doubt_finds_a_lost_last_event(self, world: World) -> None:
        running = asyncio.create_task(world.hub.run())
        subscriber = await world.join()
        world.log.commit(2)
        world.hub.on_doubt()
        await until(lambda: subscriber.offsets == [1, 2])
        running.cancel()

    async def test_doubt_is_passed_on(self, world: World) -> None:
        """Lost events may have been removals, too."""
        calls: list[str] = []
        world.hub.when_in_doubt(lambda: calls.append("doubt"))
        world.hub.on_doubt()
        assert calls == ["doubt"]

    async def test_so_does_time(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(comparing, "COMPARE_SECONDS", 0.01)
        running = asyncio.create_task(world.hub.run())
        subscriber = await world.join()
        world.log.commit()
        await until(lambda: subscriber.offsets == [1])
        running.cancel()

    async def test_a_store_that_is_away_is_asked_again_soon(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else what was lost stays unseen for as long again as I8 allows."""
        monkeypatch.setattr(comparing, "RETRY_SECONDS", 0.001)
        running = asyncio.create_task(world.hub.run())
        subscriber = await world.join()
        world.log.commit()
        world.log.away = True
        asked = len(world.log.reads)
        world.hub.on_doubt()
        await until(lambda: len(world.log.reads) > asked + 1)
        world.log.away = False
        await until(lambda: subscriber.offsets == [1])
        running.cancel()

    async def test_one_read_compares_all_rooms(self, world: World) -> None:
        one, two = await world.join(ROOM), await world.join(OTHER)
        world.log.commit(room=ROOM)
        world.log.commit(room=OTHER)
        world.log.reads.clear()
        running = asyncio.create_task(world.hub.run())
        world.hub.on_doubt()
        await until(lambda: one.offsets == [1] and two.offsets == [1])
        assert world.log.reads.count(("heads", 0)) == 1
        running.cancel()


class TestReset:
    """Another epoch: everybody who listens is told, and comes back to a fresh feed."""

    async def test_all_are_told_and_the_next_one_finds_the_new_log(self, world: World) -> None:
        alice, bob = Listener(), Listener()
        await world.hub.attach(ALICE, alice)
        await world.hub.attach(BOB, bob)
        old = await world.join()
        world.log.reset("e2")
        world.hub.on_events(world.log.commit())
        assert alice.resets == bob.resets == [ROOM]

        joined = await world.hub.join(ROOM, VIEW, Subscriber().outbox, at(0))
        assert joined.recovered is False
        assert joined.position == at(1, epoch="e2")
        assert old.offsets == []
        world.hub.part(ROOM, VIEW, old.outbox)  # its connection ends meanwhile
        await settle()
        assert "room.1" in world.bus.keys

    async def test_where_nobody_comes_back_the_binding_goes(self, world: World) -> None:
        await world.join()
        world.hub.on_events([message(1, epoch="e2")])
        await until(lambda: not world.bus.keys)
        assert world.figure("rooms") == 0

    async def test_one_that_joins_meanwhile_is_told_to_try_again(self, world: World) -> None:
        world.log.commit(30)
        await world.join()
        world.log.hold()
        joining = asyncio.create_task(world.hub.join(ROOM, VIEW, Subscriber().outbox, at(0)))
        await settle()
        world.hub.on_events([message(1, epoch="e2")])
        with pytest.raises(StoreUnavailable):
            await joining


class TestUsers:
    """A user's events go to all of the user's connections here, and to nobody else."""

    async def test_only_the_user_hears_of_it(self, world: World) -> None:
        """I6."""
        phone, laptop, stranger = Listener(), Listener(), Listener()
        await world.hub.attach(ALICE, phone)
        await world.hub.attach(ALICE, laptop)
        await world.hub.attach(BOB, stranger)
        event = RoomLeft(to=ALICE, room_id=ROOM)
        world.hub.on_events([event])
        assert (phone.events, laptop.events, stranger.events) == ([event], [event], [])

    async def test_one_connection_that_fails_costs_no_other_its_events(self, world: World) -> None:
        """The batch may hold everybody's."""
        broken, well, other = Listener(broken=True), Listener(), Listener()
        for user, listener in ((ALICE, broken), (ALICE, well), (BOB, other)):
            await world.hub.attach(user, listener)
        subscriber = await world.join()
        world.hub.on_events(
            [
                RoomLeft(to=ALICE, room_id=OTHER),
                *world.log.commit(),
                RoomLeft(to=BOB, room_id=OTHER),
            ]
        )
        await settle()
        assert subscriber.offsets == [1]
        assert [len(one.events) for one in (broken, well, other)] == [1, 1, 1]
        world.hub.on_events([message(1, epoch="e2")])
        assert [one.resets for one in (broken, well, other)] == [[ROOM]] * 3

    async def test_the_binding_lasts_as_long_as_the_last_connection(self, world: World) -> None:
        phone, laptop = Listener(), Listener()
        await world.hub.attach(ALICE, phone)
        await world.hub.attach(ALICE, laptop)
        assert world.bus.calls == [("bind", "user.alice")]
        world.hub.detach(ALICE, phone)
        await settle()
        assert world.bus.keys == {"user.alice"}
        world.hub.detach(ALICE, laptop)
        await until(lambda: not world.bus.keys)
        world.hub.detach(ALICE, laptop)  # twice is no matter
        world.hub.on_events([RoomLeft(to=ALICE, room_id=ROOM)])
        assert laptop.events == []

    async def test_a_second_connection_waits_until_the_first_ones_bind_is_done(
        self, world: World
    ) -> None:
        """`attach` promises that events come from now on: for the second one as well."""
        world.bus.free_to_bind.clear()
        attaching = [asyncio.create_task(world.hub.attach(ALICE, Listener())) for _ in range(2)]
        await settle()
        assert [one.done() for one in attaching] == [False, False]
        world.bus.free_to_bind.set()
        await asyncio.gather(*attaching)
        assert world.bus.keys == {"user.alice"}

    async def test_a_bind_that_failed_is_tried_again_by_the_next_connection(
        self, world: World
    ) -> None:
        """Else nobody of this user would hear of a lost membership any more."""
        first, second = Listener(), Listener()
        world.bus.away = True
        with pytest.raises(BusUnavailable):
            await world.hub.attach(ALICE, first)
        world.bus.away = False
        await world.hub.attach(ALICE, second)
        await settle()
        assert world.bus.keys == {"user.alice"}
        world.hub.on_events([RoomLeft(to=ALICE, room_id=ROOM)])
        assert (len(first.events), len(second.events)) == (0, 1)

    async def test_a_connection_that_ends_while_it_binds_leaves_nothing(self, world: World) -> None:
        world.bus.free_to_bind.clear()
        listener = Listener()
        attaching = asyncio.create_task(world.hub.attach(ALICE, listener))
        await settle()
        attaching.cancel()
        world.bus.free_to_bind.set()
        await settle()
        assert world.bus.keys == set()
        world.hub.on_events([RoomLeft(to=ALICE, room_id=ROOM)])
        assert listener.events == []

    async def test_one_that_comes_while_the_last_one_goes_is_bound_in_the_end(
        self, world: World
    ) -> None:
        first, second = Listener(), Listener()
        await world.hub.attach(ALICE, first)
        world.bus.free_to_unbind.clear()
        world.hub.detach(ALICE, first)
        await settle()
        attaching = asyncio.create_task(world.hub.attach(ALICE, second))
        await settle()
        world.bus.free_to_unbind.set()
        await attaching
        await settle()
        assert world.bus.keys == {"user.alice"}


class TestClosing:
    async def test_it_leaves_the_bus_and_nothing_runs_on(self, world: World) -> None:
        await world.join()
        left = await world.join(OTHER)
        world.hub.part(OTHER, VIEW, left.outbox)  # lingers
        third = RoomId("3")
        world.log.rooms[third] = []
        world.bus.free_to_bind.clear()
        joining = asyncio.create_task(world.join(third))
        await settle()

        await world.hub.close()

        world.bus.free_to_bind.set()
        await asyncio.wait([joining])
        await settle()
        assert world.bus.listenings[0].closed
        assert world.bus.keys == set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert [task.get_name() for task in others] == []

    async def test_who_was_about_to_join_is_told_to_try_again(self, world: World) -> None:
        world.bus.free_to_bind.clear()
        joining = asyncio.create_task(world.join())
        await settle()
        await world.hub.close()
        with pytest.raises(StoreUnavailable):
            await joining

    async def test_it_must_be_open(self) -> None:
        with pytest.raises(RuntimeError):
            await World().hub.attach(ALICE, Listener())
