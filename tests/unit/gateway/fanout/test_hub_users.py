"""`fanout.hub`: a user's events go to all of the user's connections."""

import asyncio

import pytest

from allibe_services.contracts.errors import BusUnavailable
from allibe_services.contracts.events import RoomLeft
from tests.support.until import until
from tests.unit.gateway.fakes import ROOM, message, settle
from tests.unit.gateway.fanout.hubs import ALICE, BOB, OTHER, Listener, World


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
