"""`fanout.hub`: rooms are bound before their first subscriber, and a little after the last."""

import asyncio
import gc

import pytest

from allibe_gateway.fanout import hub as module
from allibe_services.contracts.errors import BusUnavailable, StoreUnavailable, UnknownRoom
from tests.support.until import until
from tests.unit.gateway.fakes import ROOM, Subscriber, settle
from tests.unit.gateway.fanout.feeds import at
from tests.unit.gateway.fanout.hubs import OTHER, VIEW, World


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
