"""`bus.base`: deliveries, against every bus."""

import asyncio

import pytest

from allibe_services.bus.base import DELIVERY_BYTES, Bus
from allibe_services.contracts.errors import ShuttingDown
from allibe_services.contracts.messages import CONTENT_BYTES
from tests.contract.factories_bus import Consumer, be_busy, confirmed, outcome, shard, stored
from tests.support.commands import post
from tests.support.until import until


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


async def test_a_busy_bus_loses_and_reorders_nothing(bus: Bus) -> None:
    """All of it at once: many senders, consumers that die now and then.

    A broker may hand over again what was acked with others that were not: the log knows it.
    """
    posted, seen = await be_busy(bus)
    assert {sender: list(dict.fromkeys(contents)) for sender, contents in seen.items()} == posted
