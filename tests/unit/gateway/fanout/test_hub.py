"""`fanout.hub`: dispatch, one flush per tick, comparisons, a log that was reset, the end."""

import asyncio

import pytest

from allibe_gateway import comparing
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.events import Typing
from allibe_services.contracts.ids import RoomId
from tests.support.until import until
from tests.unit.gateway.fakes import ROOM, Subscriber, message, settle
from tests.unit.gateway.fanout.feeds import at
from tests.unit.gateway.fanout.hubs import ALICE, BOB, OTHER, VIEW, Listener, World


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
        assert world.figure("doubts_total") == 1

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
