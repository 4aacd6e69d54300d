"""Commands that RabbitMQ does not take: alarms, full shards, missing queues and exchanges."""

import asyncio
from collections.abc import Callable

import pytest

from allibe_services.bus.rabbitmq import RabbitMqBus
from allibe_services.contracts.errors import BusUnavailable, NotConfirmed, Overloaded
from allibe_services.contracts.routing import shard_of
from tests.contract.factories_bus import outcome, stored
from tests.integration.rabbitmq_bus.parts import (
    LIMIT,
    QUEUE,
    Sender,
    Worker,
    bus_on,
    duration,
    in_order,
    operator,
)
from tests.support.commands import post
from tests.support.until import until


class TestAlarm:
    """RabbitMQ is short of memory: it stops reading from who publishes."""

    async def test_senders_are_told_in_time_and_nobody_is_told_falsely(
        self, amqp_url: str, alarm: Callable[[bool], None]
    ) -> None:
        async with bus_on(amqp_url) as bus:
            sender = Sender(bus, "1")
            await sender.send(1)
            await asyncio.to_thread(alarm, True)
            for _ in range(5):
                _, seconds = await duration(sender.send(50))
                assert seconds < LIMIT + 0.5
            assert all(error.retryable for error in sender.errors)
            # Only what was under way when it began: nothing more goes into the socket's buffer.
            assert max(map(int, sender.of(NotConfirmed))) <= 50
            with pytest.raises(BusUnavailable):
                await bus.ping()
            with pytest.raises(BusUnavailable):
                await asyncio.wait_for(bus.publish([stored(post()).message]), LIMIT + 0.5)
            await asyncio.to_thread(alarm, False)
            await sender.send(10)
            assert sender.confirmed[-10:] == [str(number) for number in range(251, 261)]
            worker = Worker(bus)
            await until(lambda: worker.of("1")[-1:] == ["260"])
            assert in_order(worker.of("1"))
            assert set(sender.confirmed) <= set(worker.of("1"))
            # What was not sent did not come; what was under way may have: one batch or two.
            assert not set(sender.of(BusUnavailable)) & set(worker.of("1"))
            assert len(sender.of(BusUnavailable)) >= 100
            await worker.stop()

    async def test_what_waits_when_it_is_lifted_goes_out(
        self, amqp_url: str, alarm: Callable[[bool], None]
    ) -> None:
        async with bus_on(amqp_url, publish_seconds=10.0) as bus:
            await bus.post(post("first"))
            await asyncio.to_thread(alarm, True)
            futures = [bus.post(post(str(number))) for number in range(10)]
            await asyncio.sleep(0.3)
            futures += [bus.post(post(str(number))) for number in range(10, 20)]
            await asyncio.to_thread(alarm, False)
            assert await asyncio.gather(*futures) == [None] * 20
            worker = Worker(bus)
            await until(lambda: len(worker.of("1")) == 21)
            assert in_order(worker.of("1")[1:])
            await worker.stop()

    async def test_workers_go_on_with_what_is_there(
        self, amqp_url: str, alarm: Callable[[bool], None]
    ) -> None:
        """They consume over another connection."""
        async with bus_on(amqp_url) as bus:
            await Sender(bus, "1").send(10)
            await asyncio.to_thread(alarm, True)
            await asyncio.gather(*(outcome(bus.post(post())) for _ in range(3)))  # now it blocks
            worker = Worker(bus)
            await until(lambda: worker.of("1")[:10] == [str(number) for number in range(10)])
            await worker.stop()


class TestFull:
    async def test_a_full_shard_refuses_until_somebody_consumes(self, amqp_url: str) -> None:
        async with bus_on(amqp_url, shard_bytes=100_000) as bus:
            results = []
            for number in range(40):
                results.append(await outcome(bus.post(post(f"{number:08000}"))))
                if isinstance(results[-1], Overloaded):
                    break
            assert isinstance(results[-1], Overloaded)
            assert results[-1].retry_after_ms
            assert results[:-1] == [None] * (len(results) - 1)
            other = next(str(n) for n in range(9) if shard_of(str(n), 2) != shard_of("1", 2))  # type: ignore[arg-type]
            assert await bus.post(post(room=other)) is None  # its shard is another
            worker = Worker(bus)
            await until(lambda: len(worker.of("1")) == len(results) - 1)
            async with asyncio.timeout(10):
                while await outcome(bus.post(post("last"))) is not None:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await worker.stop()


class TestMissing:
    """An operator deletes what we need: senders are told, and it is made again."""

    async def test_a_returned_command_may_be_sent_again(self, amqp_url: str) -> None:
        async with bus_on(amqp_url) as bus, operator(amqp_url) as channel:
            worker = Worker(bus)
            await channel.queue_delete(QUEUE)
            await self.check_it_is_mended(bus, worker)

    async def test_so_may_one_whose_exchange_is_missing(self, amqp_url: str) -> None:
        async with bus_on(amqp_url) as bus, operator(amqp_url) as channel:
            worker = Worker(bus)
            await bus.post(post("before"))
            await channel.exchange_delete("chat.commands")
            await self.check_it_is_mended(bus, worker)

    async def test_an_exchange_for_events_is_made_again_too(self, amqp_url: str) -> None:
        async with bus_on(amqp_url) as bus, operator(amqp_url) as channel:
            event = stored(post()).message
            await bus.publish([event])
            await channel.exchange_delete("chat.events")
            async with asyncio.timeout(5):
                while True:
                    try:
                        return await bus.publish([event])
                    except BusUnavailable:
                        await asyncio.sleep(0.05)

    async def check_it_is_mended(self, bus: RabbitMqBus, worker: Worker) -> None:
        refused = 0
        async with asyncio.timeout(10):
            while (result := await outcome(bus.post(post("sent")))) is not None:
                assert isinstance(result, BusUnavailable | NotConfirmed)
                refused += 1
                await asyncio.sleep(0.05)
        await until(lambda: worker.of("1")[-1:] == ["sent"])
        await worker.stop()
