"""`bus.base`: every sentence of its docstrings, against every bus."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from allibe_services.bus.base import DELIVERY_BYTES, Bus
from allibe_services.contracts.commands import Rejected, Stored
from allibe_services.contracts.errors import (
    BusUnavailable,
    CommandRejected,
    NotConfirmed,
    Overloaded,
    ShuttingDown,
    Unavailable,
)
from allibe_services.contracts.events import RoomLeft, Typing
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import CONTENT_BYTES, Message
from allibe_services.contracts.routing import room_key, user_key
from tests.contract.factories_bus import (
    BUSES,
    BusFactory,
    Consumer,
    Handler,
    outcome,
    post,
    shard,
    stored,
    until,
)

ALICE = UserId("alice")
ONE, TWO = RoomId("1"), RoomId("2")


@pytest.fixture(params=BUSES)
def make(request: pytest.FixtureRequest) -> BusFactory:
    return BUSES[request.param](request)


@pytest.fixture
async def bus(make: BusFactory) -> AsyncIterator[Bus]:
    async with make() as bus:
        yield bus


def event(offset: int, room: RoomId = ONE) -> Message:
    return stored(post(room=room), offset).message


def confirmed(result: object) -> bool:
    """Tell whether a future's result says that the command is durable."""
    return result is None or isinstance(result, Stored)


class TestPost:
    """A command goes into its room's shard; the future says what became of it."""

    async def test_the_future_ends_once_the_command_is_durable(self, bus: Bus) -> None:
        consumer = Consumer(bus)
        command = post()
        result = await bus.post(command)
        assert result is None or result == stored(command)
        await until(lambda: consumer.contents == ["hello"])
        await consumer.die()

    async def test_it_never_blocks(self, bus: Bus) -> None:
        """Without any consumer it returns at once."""
        futures = [bus.post(post(str(number))) for number in range(1000)]
        consumer = Consumer(bus)
        assert all(map(confirmed, await asyncio.gather(*futures)))
        await consumer.die()

    async def test_a_room_keeps_the_order_in_which_this_process_posted(self, bus: Bus) -> None:
        """I4."""
        expected = [str(number) for number in range(500)]
        for content in expected:
            bus.post(post(content))
            if content.endswith("7"):
                await asyncio.sleep(0)
        consumer = Consumer(bus, most=7)
        await until(lambda: len(consumer.contents) >= 500)
        assert consumer.contents == expected
        await consumer.die()

    async def test_cancelling_the_future_does_not_recall_the_command(self, bus: Bus) -> None:
        bus.post(post("a")).cancel()
        later = bus.post(post("b"))
        consumer = Consumer(bus)
        assert confirmed(await later)
        await until(lambda: consumer.contents == ["a", "b"])
        await consumer.die()

    async def test_a_closed_bus_refuses_at_once_and_says_that_another_one_takes_over(
        self, bus: Bus
    ) -> None:
        await bus.close()
        error = await outcome(bus.post(post()))
        assert isinstance(error, ShuttingDown)
        assert error.retryable


class TestOutcomesToldByTheBus:
    """Where the bus waits for the commit, its futures end with what the log says."""

    @pytest.fixture(params=["inprocess"])
    def make(self, request: pytest.FixtureRequest) -> BusFactory:
        return BUSES[request.param](request)

    async def test_the_stored_message_and_whether_it_was_there_already(self, bus: Bus) -> None:
        consumer = Consumer(bus, acks=False)
        first, second = post("a"), post("b")
        futures = [bus.post(first), bus.post(second)]
        delivery = await consumer.held.get()
        outcomes = [stored(first, 1), Stored(stored(second, 2).message, duplicate=True)]
        await delivery.ack(outcomes)
        assert await asyncio.gather(*futures) == outcomes
        await consumer.die()

    async def test_a_rejected_command_says_why_and_harms_no_other(self, bus: Bus) -> None:
        consumer = Consumer(bus, acks=False)
        commands = [post("a"), post("b"), post("c")]
        futures = [bus.post(command) for command in commands]
        delivery = await consumer.held.get()
        await delivery.ack(
            [stored(commands[0]), Rejected("unknown_room", "No such room."), stored(commands[2])]
        )
        results = [await outcome(future) for future in futures]
        assert isinstance(results[1], CommandRejected)
        assert results[1].message == "No such room."
        assert not results[1].retryable
        assert (results[0], results[2]) == (stored(commands[0]), stored(commands[2]))
        await consumer.die()

    async def test_nobody_is_confirmed_before_the_ack(self, bus: Bus) -> None:
        consumer = Consumer(bus, acks=False)
        future = bus.post(post())
        await consumer.held.get()
        assert not future.done()
        await consumer.die()

    async def test_one_that_a_worker_holds_too_long_may_still_be_stored(
        self, make: BusFactory
    ) -> None:
        """Its late ack is no error."""
        async with make(publish_seconds=0.01) as bus:
            consumer = Consumer(bus, acks=False)
            command = post()
            future = bus.post(command)
            delivery = await consumer.held.get()
            assert isinstance(await outcome(future), NotConfirmed)
            await delivery.ack([stored(command)])
            consumer.go_on()
            later = bus.post(post("later"))
            delivery = await consumer.held.get()
            await delivery.ack([stored(delivery.commands[0])])
            assert confirmed(await later)
            await consumer.die()

    async def test_closing_the_bus_tells_those_whose_commands_a_worker_holds(
        self, bus: Bus
    ) -> None:
        consumer = Consumer(bus, acks=False)
        future = bus.post(post())
        await consumer.held.get()
        await bus.close()
        assert isinstance(await outcome(future), ShuttingDown)
        await consumer.die()

    async def test_nothing_that_was_acked_comes_again(self, bus: Bus) -> None:
        """In memory no ack is lost."""
        posted, seen = await be_busy(bus)
        assert seen == posted

    async def test_what_a_worker_holds_counts_as_waiting(self, make: BusFactory) -> None:
        """It is in memory; after the ack there is room again."""
        async with make(most_bytes=10_000) as bus:
            consumer = Consumer(bus, acks=False)
            first = bus.post(post("x" * 6000))
            delivery = await consumer.held.get()
            assert isinstance(await outcome(bus.post(post("x" * 6000))), Overloaded)
            short = bus.post(post("short"))
            await delivery.ack([stored(delivery.commands[0])])
            consumer.go_on()
            assert confirmed(await first)
            delivery = await consumer.held.get()
            await delivery.ack([stored(command) for command in delivery.commands])
            consumer.go_on()
            assert confirmed(await short)
            again = bus.post(post("x" * 6000))
            delivery = await consumer.held.get()
            await delivery.ack([stored(delivery.commands[0])])
            assert confirmed(await again)
            await consumer.die()


class TestTimeLimit:
    """A future ends within the publish time limit, whatever happens to the command."""

    async def test_who_waits_too_long_may_try_again(self, make: BusFactory) -> None:
        async with make(publish_seconds=0.01, broker="hangs") as bus:
            error = await outcome(bus.post(post()))
            assert isinstance(error, NotConfirmed)
            assert error.retryable

    async def test_each_has_its_own_limit(self, make: BusFactory) -> None:
        limit, clock = 0.02, asyncio.get_running_loop().time
        async with make(publish_seconds=limit, broker="hangs") as bus:
            for _ in range(3):
                assert isinstance(await outcome(bus.post(post())), NotConfirmed)
            bus.post(post()).add_done_callback(lambda done: done.exception())
            await asyncio.sleep(limit / 2)
            start = clock()
            assert isinstance(await outcome(bus.post(post())), NotConfirmed)
            assert clock() - start > 0.9 * limit  # not together with the first

    async def test_it_holds_too_while_the_bus_reaches_nobody(self, make: BusFactory) -> None:
        async with make(publish_seconds=0.01, broker="away") as bus:
            error = await outcome(bus.post(post()))
            assert isinstance(error, NotConfirmed | BusUnavailable)
            assert error.retryable


class TestBound:
    """What waits is bounded (I7): beyond, senders are told to try again later."""

    async def test_one_too_many_is_overloaded(self, make: BusFactory) -> None:
        async with make(most_waiting=3) as bus:
            futures = [bus.post(post(str(number))) for number in range(4)]
            error = await outcome(futures[3])
            assert isinstance(error, Overloaded)
            assert error.retry_after_ms
            consumer = Consumer(bus)
            assert all(map(confirmed, await asyncio.gather(*futures[:3])))
            await until(lambda: consumer.contents == ["0", "1", "2"])
            assert confirmed(await bus.post(post("4")))
            await consumer.die()

    async def test_many_bytes_are_overloaded_although_they_are_few_messages(
        self, make: BusFactory
    ) -> None:
        """Once they are durable, or stored, there is room again."""
        async with make(most_bytes=10_000) as bus:
            consumer = Consumer(bus)
            first = bus.post(post("x" * 6000))
            assert isinstance(await outcome(bus.post(post("x" * 6000))), Overloaded)
            assert confirmed(await bus.post(post("short")))
            assert confirmed(await first)
            assert confirmed(await bus.post(post("x" * 6000)))
            await consumer.die()

    async def test_a_character_counts_with_the_memory_that_it_takes(self, make: BusFactory) -> None:
        """One emoji makes every character of its message four bytes wide."""
        async with make(most_bytes=20_000) as bus:
            wide = bus.post(post("\N{GRINNING FACE}" + "x" * 8000))
            assert isinstance(await outcome(wide), Overloaded)

    async def test_what_was_withdrawn_makes_room(self, make: BusFactory) -> None:
        async with make(most_bytes=10_000, publish_seconds=0.01, broker="away") as bus:
            for _ in range(5):
                error = await outcome(bus.post(post("x" * 6000)))
                assert isinstance(error, NotConfirmed | BusUnavailable)


class TestDeliveries:
    """A shard's commands, whatever waits at once; acked as a whole, or handed over again."""

    async def test_what_waits_comes_in_one_delivery(self, bus: Bus) -> None:
        """Natural batching: no timer."""
        for content in "abc":
            bus.post(post(content))
        consumer = Consumer(bus)
        await until(lambda: len(consumer.contents) == 3)
        assert consumer.batches == [["a", "b", "c"]]
        await consumer.die()

    async def test_it_holds_at_most_as_many_as_asked_for(self, bus: Bus) -> None:
        for content in "abcde":
            bus.post(post(content))
        consumer = Consumer(bus, most=2)
        await until(lambda: len(consumer.contents) == 5)
        assert consumer.batches == [["a", "b"], ["c", "d"], ["e"]]
        await consumer.die()

    @pytest.mark.parametrize("character", ["x", "é", "€", "\N{GRINNING FACE}"])
    async def test_it_holds_so_much_content_at_most(self, bus: Bus, character: str) -> None:
        """One delivery is one transaction and one fan-out: neither may hold up the others."""
        content = character * (CONTENT_BYTES // len(character.encode()))
        fitting = DELIVERY_BYTES // len(content.encode())
        for _ in range(2 * fitting + 1):
            bus.post(post(content))
        consumer = Consumer(bus, most=10 * fitting)
        await until(lambda: len(consumer.contents) > 2 * fitting)
        assert [len(batch) for batch in consumer.batches] == [fitting, fitting, 1]
        await consumer.die()

    async def test_one_command_is_never_too_long_to_be_handed_over(self, bus: Bus) -> None:
        """It comes alone. Who posts has checked its length; the bus need not."""
        long = "x" * (DELIVERY_BYTES + 1)
        for content in ("a", long, "b"):
            bus.post(post(content))
        consumer = Consumer(bus)
        await until(lambda: len(consumer.contents) == 3)
        assert consumer.batches == [["a"], [long], ["b"]]
        await consumer.die()

    async def test_the_next_one_comes_after_the_ack_of_the_last(self, bus: Bus) -> None:
        consumer = Consumer(bus, acks=False)
        bus.post(post("a"))
        delivery = await consumer.held.get()
        bus.post(post("b"))
        bus.post(post("c"))
        await asyncio.sleep(0.01)
        assert consumer.batches == [["a"]]
        await delivery.ack([stored(delivery.commands[0])])
        consumer.go_on()
        await consumer.held.get()
        assert consumer.batches == [["a"], ["b", "c"]]
        await consumer.die()

    async def test_what_a_dead_consumer_did_not_ack_comes_again_before_later_ones(
        self, bus: Bus
    ) -> None:
        """The unacknowledged command is the outbox (DESIGN §1.3)."""
        consumer = Consumer(bus, most=2, acks=False)
        futures = [bus.post(post(content)) for content in "abc"]
        await consumer.held.get()
        await consumer.die()
        futures.append(bus.post(post("d")))

        heir = Consumer(bus)
        assert all(map(confirmed, await asyncio.gather(*futures)))
        await until(lambda: len(heir.contents) >= 4)
        assert heir.contents == ["a", "b", "c", "d"]
        await heir.die()

    async def test_one_that_died_waiting_loses_nothing(self, bus: Bus) -> None:
        consumer = Consumer(bus)
        await asyncio.sleep(0)
        await consumer.die()
        future = bus.post(post("a"))
        heir = Consumer(bus)
        assert confirmed(await future)
        await until(lambda: heir.contents == ["a"])
        await heir.die()

    async def test_one_consumer_of_a_shard_is_active(self, bus: Bus) -> None:
        """Two would break the order of senders (I4); the second waits for the first to end."""
        first = Consumer(bus, acks=False)
        future = bus.post(post("a"))
        await first.held.get()
        second = Consumer(bus)
        later = bus.post(post("b"))
        await asyncio.sleep(0.1)
        assert second.batches == []
        await first.die()
        assert all(map(confirmed, await asyncio.gather(future, later)))
        await until(lambda: len(second.contents) >= 2)
        assert second.contents == ["a", "b"]
        await second.die()

    async def test_closing_the_bus_ends_them(self, bus: Bus) -> None:
        waiting = Consumer(bus)
        await asyncio.sleep(0)
        await bus.close()
        await asyncio.wait_for(waiting.task, 5)

    async def test_closing_it_ends_one_that_holds_commands_too(self, bus: Bus) -> None:
        """Its late ack is no error."""
        consumer = Consumer(bus, acks=False)
        future = bus.post(post())
        delivery = await consumer.held.get()
        await bus.close()
        result = await outcome(future)  # where the bus waits for no commit, it was confirmed
        assert confirmed(result) or isinstance(result, ShuttingDown)
        await delivery.ack([stored(delivery.commands[0])])
        consumer.go_on()
        await asyncio.wait_for(consumer.task, 5)

    async def test_there_is_no_shard_outside_their_number(self, bus: Bus) -> None:
        with pytest.raises(ValueError, match="shard"):
            await anext(aiter(bus.deliveries(bus.shards, most=1)))
        assert 0 <= shard(bus) < bus.shards


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


class TestPing:
    async def test_it_returns_while_commands_are_taken(self, bus: Bus) -> None:
        await bus.ping()

    async def test_a_closed_bus_is_unavailable(self, bus: Bus) -> None:
        await bus.close()
        with pytest.raises(Unavailable):
            await bus.ping()

    async def test_closing_twice_is_no_matter(self, bus: Bus) -> None:
        future = bus.post(post())
        await bus.close()
        await bus.close()
        assert isinstance(await outcome(future), ShuttingDown)


async def test_a_busy_bus_loses_and_reorders_nothing(bus: Bus) -> None:
    """All of it at once: many senders, consumers that die now and then.

    A broker may hand over again what was acked with others that were not: the log knows it.
    """
    posted, seen = await be_busy(bus)
    assert {sender: list(dict.fromkeys(contents)) for sender, contents in seen.items()} == posted


async def be_busy(bus: Bus) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return what each sender posted, and what the consumers that lived acked of it."""
    posted: dict[str, list[str]] = {}
    seen: dict[str, list[str]] = {}
    futures: list[asyncio.Future[Any]] = []

    async def send(sender: str) -> None:
        for number in range(60):
            posted.setdefault(sender, []).append(f"{sender}-{number}")
            futures.append(bus.post(post(f"{sender}-{number}", sender=sender)))
            if number % 5 == 0:
                await asyncio.sleep(0)

    async def consume(lives: int) -> None:
        async for delivery in bus.deliveries(shard(bus), most=13):
            await asyncio.sleep(0)
            lives -= 1
            if lives == 0:
                return
            for command in delivery.commands:
                seen.setdefault(command.sender, []).append(command.content)
            await delivery.ack([stored(command) for command in delivery.commands])

    async def workers() -> None:
        for lives in (3, 2, 5, 1, 1000):
            await consume(lives)

    working = asyncio.create_task(workers())
    await asyncio.gather(*(send(f"u{number}") for number in range(8)))
    assert all(map(confirmed, await asyncio.gather(*futures)))
    await until(lambda: sum(len(set(contents)) for contents in seen.values()) >= len(futures))
    working.cancel()
    return posted, seen
