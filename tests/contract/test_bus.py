"""`bus.base`: every sentence of its docstrings, against every bus; here those on posting."""

import asyncio

import pytest

from allibe_services.bus.base import Bus
from allibe_services.contracts.commands import Rejected, Stored
from allibe_services.contracts.errors import (
    BusUnavailable,
    CommandRejected,
    NotConfirmed,
    Overloaded,
    ShuttingDown,
    Unavailable,
)
from tests.contract.factories_bus import (
    BUSES,
    BusFactory,
    Consumer,
    be_busy,
    confirmed,
    outcome,
    shard,
    stored,
)
from tests.support.commands import post
from tests.support.until import until


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


class TestLengths:
    """How much waits in shards, for people."""

    async def test_what_nobody_has_taken_is_seen(self, bus: Bus) -> None:
        number = shard(bus)
        assert await bus.lengths([number]) == {number: 0}
        future = bus.post(post())
        async with asyncio.timeout(10):
            while not (await bus.lengths([number]))[number]:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.05)
        consumer = Consumer(bus)
        assert confirmed(await future)
        await until(lambda: consumer.contents == ["hello"])
        assert await bus.lengths([number]) == {number: 0}
        assert await bus.dead_letters() == 0
        await consumer.die()


class TestOutcomesToldByTheBus:
    """Where the bus waits for the commit, its futures end with what the log says."""

    @pytest.fixture(params=["inprocess"])
    def open_bus(self, request: pytest.FixtureRequest) -> BusFactory:
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
        self, open_bus: BusFactory
    ) -> None:
        """Its late ack is no error."""
        async with open_bus(publish_seconds=0.01) as bus:
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

    async def test_what_a_worker_holds_counts_as_waiting(self, open_bus: BusFactory) -> None:
        """It is in memory; after the ack there is room again."""
        async with open_bus(most_bytes=10_000) as bus:
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

    async def test_who_waits_too_long_may_try_again(self, open_bus: BusFactory) -> None:
        async with open_bus(publish_seconds=0.01, broker="hangs") as bus:
            error = await outcome(bus.post(post()))
            assert isinstance(error, NotConfirmed)
            assert error.retryable

    async def test_each_has_its_own_limit(self, open_bus: BusFactory) -> None:
        limit, clock = 0.02, asyncio.get_running_loop().time
        async with open_bus(publish_seconds=limit, broker="hangs") as bus:
            for _ in range(3):
                assert isinstance(await outcome(bus.post(post())), NotConfirmed)
            bus.post(post()).add_done_callback(lambda done: done.exception())
            await asyncio.sleep(limit / 2)
            start = clock()
            assert isinstance(await outcome(bus.post(post())), NotConfirmed)
            assert clock() - start > 0.9 * limit  # not together with the first

    async def test_it_holds_too_while_the_bus_reaches_nobody(self, open_bus: BusFactory) -> None:
        async with open_bus(publish_seconds=0.01, broker="away") as bus:
            error = await outcome(bus.post(post()))
            assert isinstance(error, NotConfirmed | BusUnavailable)
            assert error.retryable


class TestBound:
    """What waits is bounded (I7): beyond, senders are told to try again later."""

    async def test_one_too_many_is_overloaded(self, open_bus: BusFactory) -> None:
        async with open_bus(most_waiting=3) as bus:
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
        self, open_bus: BusFactory
    ) -> None:
        """Once they are durable, or stored, there is room again."""
        async with open_bus(most_bytes=10_000) as bus:
            consumer = Consumer(bus)
            first = bus.post(post("x" * 6000))
            assert isinstance(await outcome(bus.post(post("x" * 6000))), Overloaded)
            assert confirmed(await bus.post(post("short")))
            assert confirmed(await first)
            assert confirmed(await bus.post(post("x" * 6000)))
            await consumer.die()

    async def test_a_character_counts_with_the_memory_that_it_takes(
        self, open_bus: BusFactory
    ) -> None:
        """One emoji makes every character of its message four bytes wide."""
        async with open_bus(most_bytes=20_000) as bus:
            wide = bus.post(post("\N{GRINNING FACE}" + "x" * 8000))
            assert isinstance(await outcome(wide), Overloaded)

    async def test_what_was_withdrawn_makes_room(self, open_bus: BusFactory) -> None:
        async with open_bus(most_bytes=10_000, publish_seconds=0.01, broker="away") as bus:
            for _ in range(5):
                error = await outcome(bus.post(post("x" * 6000)))
                assert isinstance(error, NotConfirmed | BusUnavailable)


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
