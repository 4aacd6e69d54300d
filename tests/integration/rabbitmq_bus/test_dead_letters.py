"""What an operator does with dead letters on RabbitMQ: they stay whatever happens, until told."""

import asyncio
from collections.abc import Callable

import aio_pika
import pytest
from pamqp.common import FieldValue

from allibe_services.bus.rabbitmq import codec, hold_dead_letters, inspection
from allibe_services.bus.rabbitmq.topology import DEAD_LOOKS
from allibe_services.contracts.commands import PostMessage, Rejected
from allibe_services.contracts.errors import BusUnavailable, Conflict
from tests.contract.factories_bus import Consumer
from tests.integration.rabbitmq_bus.parts import PATIENT, QUEUE, bus_on, operator
from tests.support.commands import post
from tests.support.tcp_proxy import TcpProxy

MANY = 150
"""More than RabbitMQ sends acks of at once (32), and than an Erlang map keeps sorted."""


async def put(url: str, commands: list[PostMessage], key: str = QUEUE) -> None:
    """Put each aside by itself, as a worker does."""
    async with operator(url) as channel:
        exchange = await channel.get_exchange("chat.dead", ensure=False)
        for command in commands:
            message = aio_pika.Message(
                codec.encode([command]),
                content_type=codec.COMMANDS,
                headers={"x-allibe-code": "unknown_room"},
                delivery_mode=2,
            )
            await exchange.publish(message, routing_key=key)


async def ids(url: str) -> list[str]:
    async with hold_dead_letters(url, seconds=PATIENT) as held:
        assert held.waiting == len(held.letters)
        assert [one.position for one in held.letters] == list(range(1, held.waiting + 1))
        return [one.id for one in held.letters]


async def ids_when_free(url: str) -> list[str]:
    """Return them once nobody else has them."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await ids(url)
            except Conflict:
                await asyncio.sleep(0.1)


@pytest.fixture
async def _topology(amqp_url: str) -> None:
    async with bus_on(amqp_url, publish_seconds=PATIENT):
        pass


@pytest.mark.usefixtures("_topology")
class TestLooking:
    async def test_changes_nothing(self, amqp_url: str) -> None:
        await put(amqp_url, [post(str(number)) for number in range(MANY)])
        first = await ids(amqp_url)
        assert len(set(first)) == MANY
        for _ in range(3):
            assert await ids(amqp_url) == first

    async def test_begins_with_the_oldest_where_there_are_more(
        self, amqp_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inspection, "MOST_LETTERS", 50)
        rooms = [str(number) for number in range(MANY)]
        await put(amqp_url, [post(room=room) for room in rooms])
        for gone, dropped in ((0, 0), (0, 0), (0, 40), (40, 40), (80, 0)):
            async with hold_dead_letters(amqp_url, seconds=PATIENT) as held:
                assert held.waiting == MANY - gone
                assert [one.room_ids[0] for one in held.letters] == rooms[gone : gone + 50]
                for letter in held.letters[:dropped]:
                    await held.drop(letter)

    async def test_may_be_done_without_end(self, amqp_url: str) -> None:
        """RabbitMQ 4 forgets what was delivered 20 times, where the queue does not say otherwise.

        RabbitMQ refuses other arguments than those that the queue has.
        """
        async with operator(amqp_url) as channel:
            arguments: dict[str, FieldValue] = {
                "x-queue-type": "quorum",
                "x-max-length-bytes": 256 << 20,
                "x-overflow": "drop-head",
                "x-delivery-limit": DEAD_LOOKS,
            }
            await channel.declare_queue("chat.dead", durable=True, arguments=arguments)

    async def test_is_for_one_at_a_time(self, amqp_url: str) -> None:
        await put(amqp_url, [post()])
        async with hold_dead_letters(amqp_url, seconds=PATIENT) as held:
            with pytest.raises(Conflict):
                await ids(amqp_url)
            assert held.waiting == 1
        assert len(await ids(amqp_url)) == 1

    @pytest.mark.parametrize("fault", ["cut", "stall"])
    async def test_who_is_cut_off_has_changed_nothing(
        self, amqp_url: str, proxied_url: str, proxy: TcpProxy, fault: str
    ) -> None:
        """Or whose machine is lost: RabbitMQ notices that after three heart-beats."""
        await put(amqp_url, [post(str(number)) for number in range(40)])
        before = await ids(amqp_url)

        async def look() -> None:
            async with hold_dead_letters(f"{proxied_url}?heartbeat=1", seconds=PATIENT):
                getattr(proxy, fault)()
                assert await ids_when_free(amqp_url) == before
                proxy.cut()

        with pytest.raises(BusUnavailable):
            await look()


@pytest.mark.usefixtures("_topology")
class TestReplayAndDrop:
    async def test_what_was_dropped_is_gone_and_the_rest_stays_in_order(
        self, amqp_url: str
    ) -> None:
        await put(amqp_url, [post(str(number)) for number in range(MANY)])
        async with hold_dead_letters(amqp_url, seconds=PATIENT) as held:
            kept = [one.id for one in held.letters[::3]]
            for one in held.letters:
                if one.id not in kept:
                    await held.drop(one)
        assert await ids(amqp_url) == kept

    async def test_a_replay_goes_where_it_came_from(self, amqp_url: str) -> None:
        commands = [post(str(number)) for number in range(3)]
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            for command in commands:
                bus.post(command)
            consumer = Consumer(bus, acks=False)
            delivery = await consumer.held.get()
            refused = Rejected("unknown_room", "There is no such room.")
            await delivery.ack([refused] * len(delivery.commands))
            consumer.go_on()
            async with asyncio.timeout(PATIENT):
                while len(await ids(amqp_url)) < 3:
                    again = await consumer.held.get()
                    await again.ack([refused] * len(again.commands))
                    consumer.go_on()
            async with hold_dead_letters(amqp_url, seconds=PATIENT) as held:
                for letter in held.letters:
                    assert letter.reason == "unknown_room"
                    assert letter.first_died_at is not None
                    assert await held.replay(letter)
            assert await ids(amqp_url) == []
            found: list[PostMessage] = []
            while len(found) < 3:
                again = await asyncio.wait_for(consumer.held.get(), PATIENT)
                found += again.commands
                await again.ack([refused] * len(again.commands))
                consumer.go_on()
            assert found == commands
            await consumer.die()

    async def test_what_no_shard_takes_stays(self, amqp_url: str) -> None:
        await put(amqp_url, [post()], key="77.1")
        await put(amqp_url, [post()])
        async with hold_dead_letters(amqp_url, seconds=PATIENT) as held:
            lost, well = held.letters
            assert not await held.replay(lost)
            assert await held.replay(well)
        assert await ids(amqp_url) == [lost.id]

    async def test_a_broker_that_takes_nothing_loses_nothing(
        self, amqp_url: str, alarm: Callable[[bool], None]
    ) -> None:
        await put(amqp_url, [post(), post()])
        async with hold_dead_letters(amqp_url, seconds=1.0) as held:
            first, second = held.letters
            assert await held.replay(first)
            await asyncio.to_thread(alarm, True)
            with pytest.raises(BusUnavailable):
                await held.replay(second)
        await asyncio.to_thread(alarm, False)
        assert await ids(amqp_url) == [second.id]


async def test_a_queue_of_another_version_will_do(amqp_url: str) -> None:
    """Else nothing would start any more where one is."""
    async with operator(amqp_url) as channel:
        await channel.declare_queue("chat.dead", durable=True, arguments={"x-queue-type": "quorum"})
    async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
        assert await bus.post(post()) is None
        await put(amqp_url, [post()])
        assert len(await ids(amqp_url)) == 1
