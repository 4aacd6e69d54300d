"""Commands that nobody can process: put aside with the reason, and the shard goes on."""

import asyncio
from collections.abc import Callable

import aio_pika
import pytest

from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.calls import Lost
from allibe_services.bus.rabbitmq.dead_letters import DeadLetters
from allibe_services.contracts.commands import Rejected
from allibe_services.contracts.errors import CommandRejected
from tests.contract.factories_bus import Consumer, outcome, stored
from tests.integration.rabbitmq_bus.parts import (
    PATIENT,
    QUEUE,
    Worker,
    bus_on,
    dead_letters,
    operator,
)
from tests.support.commands import post
from tests.support.until import until


class TestPoison:
    """What nobody can process is put aside with the reason, and its shard goes on."""

    @pytest.mark.parametrize(
        ("body", "content_type", "reason"),
        [
            (b"\xc1 no MessagePack", codec.COMMANDS, "not a list of commands"),
            (codec.encode([post()])[:-5], codec.COMMANDS, "not a list of commands"),
            (codec.encode([]), codec.COMMANDS, "an empty list"),
            (codec.encode([stored(post()).message]), codec.COMMANDS, "not a list of commands"),
            (codec.encode([post()]), codec.EVENTS, "content type"),
            (codec.encode([post()]), "application/vnd.allibe.commands.v2+msgpack", "content type"),
            (codec.encode([post()]), None, "content type None"),
        ],
    )
    async def test_what_is_undecodable(
        self, amqp_url: str, body: bytes, content_type: str | None, reason: str
    ) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            assert await bus.dead_letters() == 0
            await bus.post(post("a"))
            await publish(amqp_url, body, content_type)
            await bus.post(post("b"))
            worker = Worker(bus)
            await until(lambda: worker.of("1") == ["a", "b"])
            await worker.stop()
            assert await bus.dead_letters() == 1
        [dead] = await dead_letters(amqp_url, 1)
        assert dead.body == body
        assert dead.headers["x-allibe-code"] == "undecodable"
        assert reason in str(dead.headers["x-allibe-reason"])
        assert dead.routing_key == QUEUE

    async def test_it_is_put_aside_once(self, amqp_url: str) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            await publish(amqp_url, b"", codec.COMMANDS)
            for _ in range(2):
                worker = Worker(bus)
                await asyncio.sleep(0.3)
                await worker.stop()
        await dead_letters(amqp_url, 1)

    async def test_what_the_log_rejects_with_its_code(self, amqp_url: str) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            commands = [post("a"), post("b"), post("c")]
            for command in commands:
                bus.post(command)
            consumer = Consumer(bus, acks=False)
            delivery = await consumer.held.get()
            refused = Rejected("unknown_room", "There is no such room.")
            await delivery.ack([stored(commands[0]), refused, stored(commands[2])])
            [dead] = await dead_letters(amqp_url, 1)
            assert codec.decode_commands(dead.body, dead.content_type) == [commands[1]]
            assert dead.headers["x-allibe-code"] == "unknown_room"
            assert dead.headers["x-allibe-reason"] == "There is no such room."
            await consumer.die()

    async def test_what_ends_its_worker_each_time(self, amqp_url: str) -> None:
        async with bus_on(amqp_url, publish_seconds=PATIENT, delivery_limit=3) as bus:
            await bus.post(post("poison"))
            for _ in range(4):
                consumer = Consumer(bus, acks=False)
                await consumer.held.get()
                await consumer.die()
            await bus.post(post("well"))
            worker = Worker(bus)
            await until(lambda: worker.of("1") == ["well"])
            await worker.stop()
        [dead] = await dead_letters(amqp_url, 1)
        [command] = codec.decode_commands(dead.body, dead.content_type)
        assert command.content == "poison"
        assert dead.headers["x-first-death-reason"] == "delivery_limit"

    async def test_a_text_that_is_none_harms_no_other(self, amqp_url: str) -> None:
        """Half an emoji cannot be encoded."""
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            futures = [bus.post(post(content)) for content in ("a", "\ud83d", "b")]
            results = [await outcome(future) for future in futures]
            assert results[0] is None
            assert isinstance(results[1], CommandRejected)
            assert results[2] is None

    async def test_acking_waits_until_the_rejected_are_safe(
        self, amqp_url: str, alarm: Callable[[bool], None]
    ) -> None:
        """Where they cannot be put aside, nothing is acked, and all comes again."""
        async with bus_on(amqp_url) as bus:
            await bus.post(post("bad"))
            consumer = Consumer(bus, acks=False)
            delivery = await consumer.held.get()
            await asyncio.to_thread(alarm, True)
            await asyncio.gather(*(outcome(bus.post(post("x"))) for _ in range(2)))
            refused = [Rejected("unknown_room", "There is no such room.")]
            await asyncio.wait_for(delivery.ack(refused), 5)
            consumer.go_on()
            again = await asyncio.wait_for(consumer.held.get(), 10)
            assert again.commands[0] == delivery.commands[0]
            await consumer.die()

    async def test_a_queue_of_dead_letters_that_somebody_deleted_is_made_again(
        self, amqp_url: str
    ) -> None:
        """Else the shard stands still, and what waits behind nears its delivery limit."""
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            async with operator(amqp_url) as channel:
                await channel.queue_delete("chat.dead")
            await publish(amqp_url, b"", codec.COMMANDS)
            await bus.post(post("a"))
            worker = Worker(bus)
            await until(lambda: worker.of("1") == ["a"])
            await worker.stop()
        await dead_letters(amqp_url, 1)

    @pytest.mark.parametrize("is_readable", [True, False])
    async def test_dead_letters_that_nobody_takes_are_tried_less_and_less_often(
        self, amqp_url: str, monkeypatch: pytest.MonkeyPatch, is_readable: bool
    ) -> None:
        """Each try is a delivery of all that waits behind, and these are limited."""
        tries = 0

        async def refuse(*_: object) -> None:
            nonlocal tries
            tries += 1
            raise Lost("refused")

        monkeypatch.setattr(DeadLetters, "rejected", refuse)
        monkeypatch.setattr(DeadLetters, "undecodable", refuse)
        async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
            body = codec.encode([post()]) if is_readable else b""
            await publish(amqp_url, body, codec.COMMANDS)
            worker = Worker(bus)
            await asyncio.sleep(3)
            await worker.stop()
        assert 2 <= tries <= 9


async def publish(url: str, body: bytes, content_type: str | None) -> None:
    """Publish something to the shard of room 1."""
    async with operator(url) as channel:
        exchange = await channel.get_exchange("chat.commands", ensure=False)
        message = aio_pika.Message(body, content_type=content_type)
        await exchange.publish(message, routing_key=f"{QUEUE.rpartition('.')[2]}.1")
