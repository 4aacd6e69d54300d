"""`bus.base`: events, against every bus."""

import asyncio

from allibe_services.bus.base import Bus
from allibe_services.contracts.events import RoomLeft, Typing
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.routing import room_key, user_key
from tests.contract.factories_bus import Handler, stored
from tests.support.commands import post
from tests.support.until import until

ALICE = UserId("alice")
ONE, TWO = RoomId("1"), RoomId("2")


def event(offset: int, room: RoomId = ONE) -> Message:
    return stored(post(room=room), offset).message


class TestEvents:
    """Events go to who is bound to their key, in the order in which they were published."""

    async def test_nothing_comes_before_a_key_is_bound(self, bus: Bus) -> None:
        handler = Handler()
        listening = await bus.listen(handler)
        await bus.publish([event(1)])
        await listening.bind([room_key(ONE)])
        later = event(2)
        await bus.publish([later])
        await until(lambda: bool(handler.events))
        assert handler.events == [later]

    async def test_everything_under_a_bound_key_comes_in_order(self, bus: Bus) -> None:
        handler = Handler()
        listening = await bus.listen(handler)
        await listening.bind([room_key(ONE)])
        expected = [event(offset) for offset in range(1, 51)]
        for start in range(0, 50, 10):
            await bus.publish(expected[start : start + 10])
        await until(lambda: len(handler.events) >= 50)
        assert handler.events == expected

    async def test_keys_are_exact(self, bus: Bus) -> None:
        """I6: neither another room nor a user of the same name."""
        handler = Handler()
        listening = await bus.listen(handler)
        await listening.bind([room_key(ONE)])
        ours = Typing(room_id=ONE, user=ALICE)
        await bus.publish(
            [
                event(1, TWO),
                event(1, RoomId("11")),
                RoomLeft(to=UserId("1"), room_id=ONE),
                ours,
            ]
        )
        await until(lambda: bool(handler.events))
        assert handler.events == [ours]

    async def test_a_user_has_a_key_too(self, bus: Bus) -> None:
        handler = Handler()
        listening = await bus.listen(handler)
        await listening.bind([user_key(ALICE), room_key(ONE)])
        left = RoomLeft(to=ALICE, room_id=ONE)
        await bus.publish([left, RoomLeft(to=UserId("bob"), room_id=ONE), event(1)])
        await until(lambda: len(handler.events) >= 2)
        assert handler.events[0] == left
        assert len(handler.events) == 2

    async def test_everyone_who_is_bound_gets_them(self, bus: Bus) -> None:
        handlers = [Handler() for _ in range(3)]
        for handler in handlers:
            await (await bus.listen(handler)).bind([room_key(ONE)])
        sent = event(1)
        await bus.publish([sent])
        await until(lambda: all(handler.events for handler in handlers))
        assert [handler.events for handler in handlers] == [[sent]] * 3

    async def test_binding_twice_is_binding_once(self, bus: Bus) -> None:
        handler = Handler()
        listening = await bus.listen(handler)
        await listening.bind([room_key(ONE), room_key(ONE)])
        await listening.bind([room_key(ONE)])
        await bus.publish([event(1)])
        await bus.publish([event(2)])
        await until(lambda: len(handler.events) >= 2)
        assert len(handler.events) == 2
        await listening.unbind([room_key(ONE)])
        await listening.unbind([room_key(ONE), room_key(TWO)])  # not bound: no matter
        await bus.publish([event(3)])
        await listening.bind([room_key(TWO)])
        last = event(1, TWO)
        await bus.publish([last])
        await until(lambda: len(handler.events) >= 3)
        assert handler.events[2:] == [last]

    async def test_unbinding_one_leaves_the_other_keys_and_the_other_listeners(
        self, bus: Bus
    ) -> None:
        handler, other = Handler(), Handler()
        listening = await bus.listen(handler)
        await listening.bind([room_key(ONE), room_key(TWO)])
        await (await bus.listen(other)).bind([room_key(ONE)])
        await listening.unbind([room_key(ONE)])
        one, two = event(1, ONE), event(1, TWO)
        await bus.publish([one, two])
        await until(lambda: bool(handler.events) and bool(other.events))
        assert (handler.events, other.events) == ([two], [one])

    async def test_closing_a_place_stops_its_events(self, bus: Bus) -> None:
        handler = Handler()
        listening = await bus.listen(handler)
        await listening.bind([room_key(ONE), room_key(TWO)])
        await listening.close()
        witness = Handler()
        await (await bus.listen(witness)).bind([room_key(ONE), room_key(TWO)])
        await bus.publish([event(1, ONE), event(1, TWO)])
        await until(lambda: len(witness.events) >= 2)
        await asyncio.sleep(0.01)
        assert handler.events == []

    async def test_a_handler_that_fails_stops_neither_publisher_nor_the_others(
        self, bus: Bus
    ) -> None:
        """The publisher is the worker: another's fault must not stop the log."""
        broken, well = Handler(), Handler()
        broken.error = LookupError("secret")
        for handler in (broken, well):
            await (await bus.listen(handler)).bind([room_key(ONE)])
        await bus.publish([event(1)])
        await bus.publish([event(2)])
        await until(lambda: len(well.events) >= 2 and len(broken.events) >= 2)
        assert [one.offset for one in well.events if isinstance(one, Message)] == [1, 2]

    async def test_nothing_to_publish_is_no_matter(self, bus: Bus) -> None:
        await bus.publish([])
