"""Consuming shards: redelivery in order, one consumer at a time, over processes."""

import asyncio
import multiprocessing

from allibe_services.bus.rabbitmq import deliveries
from allibe_services.contracts.messages import Message
from allibe_services.contracts.routing import room_key, shard_of
from deploy.cluster.servers import RabbitMQ
from tests.contract.factories_bus import Consumer, Handler, stored
from tests.integration.rabbitmq_bus.parts import (
    PATIENT,
    QUEUE,
    SHARDS,
    Sender,
    Worker,
    bus_on,
    in_order,
    operator,
)
from tests.support.tcp_proxy import TcpProxy
from tests.support.until import until


class TestRedelivery:
    async def test_a_second_consumer_gets_nothing_while_the_first_one_lives(
        self, amqp_url: str
    ) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            first, sender = Consumer(bus, acks=False), Sender(bus, "1")
            await sender.send(1)
            await first.held.get()
            second = Consumer(bus)
            for _ in range(10):
                await sender.send(1)
            await asyncio.sleep(0.2)
            assert second.batches == []
            await first.die()
            await until(lambda: len(second.contents) == 11)
            assert in_order(second.contents)
            await second.die()

    async def test_a_frozen_consumer_loses_its_shard_after_three_heartbeats(
        self, proxied_url: str, proxy: TcpProxy, amqp_url: str
    ) -> None:
        """And when it thaws its late ack harms nobody."""
        async with bus_on(f"{proxied_url}?heartbeat=1") as frozen, bus_on(amqp_url) as well:
            consumer, sender = Consumer(frozen, acks=False), Sender(well, "1")
            await sender.send(5)
            delivery = await consumer.held.get()
            proxy.stall()
            heir = Worker(well)
            await until(lambda: len(heir.of("1")) == 5, seconds=5)
            proxy.heal()
            await delivery.ack([stored(command) for command in delivery.commands])
            consumer.go_on()
            await sender.send(5)
            await until(lambda: len(heir.of("1")) == 10)
            assert in_order(heir.of("1"))
            assert len(consumer.batches) == 1
            await heir.stop()
            await consumer.die()

    async def test_many_amqp_messages_come_again_in_order(self, amqp_url: str) -> None:
        """More than 32: an Erlang map keeps its keys sorted up to there."""
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            sender = Sender(bus, "1")
            for _ in range(100):
                await sender.send(1)
            for most in (7, 1, 30):
                consumer = Consumer(bus, most=most, acks=False)
                delivery = await consumer.held.get()
                await delivery.ack([stored(command) for command in delivery.commands])
                await consumer.die()
            heir = Worker(bus)
            await until(lambda: heir.of("1")[-1:] == ["99"])
            assert in_order(heir.of("1"))
            assert len(heir.of("1")) >= 100 - 38
            await heir.stop()

    async def test_a_large_amqp_message_is_acked_with_its_last_part(self, amqp_url: str) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            await Sender(bus, "1").send(10)
            consumer = Consumer(bus, most=4, acks=False)
            for part in (range(4), range(4, 8)):
                delivery = await consumer.held.get()
                assert [command.content for command in delivery.commands] == [*map(str, part)]
                await delivery.ack([stored(command) for command in delivery.commands])
                consumer.go_on()
            await consumer.held.get()
            await consumer.die()
            heir = Worker(bus)
            await until(lambda: len(heir.of("1")) == 10)  # what was acked of it comes again
            await heir.stop()

    async def test_small_amqp_messages_come_together(self, amqp_url: str) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            sender = Sender(bus, "1")
            consumer = Consumer(bus, acks=False)
            await sender.send(1)
            delivery = await consumer.held.get()
            for _ in range(20):
                await sender.send(1)
            await asyncio.sleep(0.1)
            await delivery.ack([stored(delivery.commands[0])])
            consumer.go_on()
            await consumer.held.get()
            assert [len(batch) for batch in consumer.batches] == [1, 20]
            await consumer.die()

    async def test_no_more_is_on_its_way_than_the_prefetch(
        self, amqp_url: str, rabbitmq: RabbitMQ
    ) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            sender = Sender(bus, "1")
            for _ in range(2 * deliveries.PREFETCH):
                await sender.send(1)
            consumer = Consumer(bus, acks=False)
            await consumer.held.get()
            await asyncio.sleep(0.2)
            async with operator(amqp_url) as channel:
                queue = await channel.get_queue(QUEUE)
                waiting = queue.declaration_result.message_count
            assert waiting == deliveries.PREFETCH
            await consumer.die()


class TestTwoProcesses:
    """A gateway here, a worker there."""

    async def test_they_meet_at_rabbitmq(self, amqp_url: str) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            handler = Handler()
            listening = await bus.listen(handler)
            await listening.bind([room_key("1")])  # type: ignore[arg-type]
            context = multiprocessing.get_context("spawn")
            process = context.Process(target=work, args=(amqp_url,), daemon=True)
            process.start()
            try:
                sender = Sender(bus, "1")
                await sender.send(100, pause=0.001)
                assert len(sender.confirmed) == 100
                await until(lambda: len(handler.events) == 100, seconds=30)
                contents = [event.content for event in handler.events if isinstance(event, Message)]
                assert contents == sender.confirmed
            finally:
                process.kill()
                await asyncio.to_thread(process.join)


def work(url: str) -> None:
    """Be a worker, in a process of its own."""

    async def run() -> None:
        async with bus_on(url) as bus:
            async for delivery in bus.deliveries(shard_of("1", SHARDS), most=500):  # type: ignore[arg-type]
                outcomes = [stored(command) for command in delivery.commands]
                await bus.publish([one.message for one in outcomes])
                await delivery.ack(outcomes)

    asyncio.run(run())
