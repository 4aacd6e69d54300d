"""Connections that end, hang or are refused: what is confirmed is there, the rest is told so."""

import asyncio

import pytest
from structlog.testing import capture_logs

from allibe_services.bus.rabbitmq import DifferentDeployment, bus
from allibe_services.contracts.errors import BusUnavailable, NotConfirmed, ShuttingDown
from deploy.cluster.servers import RabbitMQ
from tests.contract.factories_bus import Handler, outcome
from tests.integration.rabbitmq_bus.parts import (
    LIMIT,
    Sender,
    Worker,
    bus_on,
    duration,
    in_order,
    typing,
    until_up,
)
from tests.support.commands import post
from tests.support.tcp_proxy import TcpProxy
from tests.support.until import until


class TestClosed:
    """An operator closes all connections."""

    async def test_senders_hardly_notice(self, amqp_url: str, rabbitmq: RabbitMQ) -> None:
        """What was in flight is sent again while its senders wait; nothing is lost or reordered."""
        async with bus_on(amqp_url, publish_seconds=5.0) as bus:
            worker, sender = Worker(bus), Sender(bus, "1")
            sending = asyncio.create_task(sender.send(600, pause=0.001))
            for _ in range(3):
                await asyncio.sleep(0.15)
                await asyncio.to_thread(rabbitmq.close_all_connections)
            await sending
            assert sender.errors == []
            await until(lambda: len(worker.of("1")) == 600)
            assert in_order(worker.of("1"))
            await worker.stop()

    async def test_a_worker_gets_what_it_had_not_acked_again_in_order(
        self, amqp_url: str, rabbitmq: RabbitMQ
    ) -> None:
        """The same iterator goes on; the late ack is no error, and acks nothing of the new ones."""
        async with bus_on(amqp_url) as bus:
            worker, sender = Worker(bus, most=3), Sender(bus, "1")
            worker.paused.clear()
            for _ in range(20):
                await sender.send(2)  # many AMQP messages
            await asyncio.to_thread(rabbitmq.close_all_connections)
            worker.paused.set()
            await until(lambda: len(worker.of("1")) == 40)
            assert in_order(worker.of("1"))
            assert worker.handed_over > 40
            await sender.send(1)
            await until(lambda: len(worker.of("1")) == 41)
            await worker.stop()

    async def test_closing_the_bus_at_that_moment_ends_everything(
        self, amqp_url: str, rabbitmq: RabbitMQ
    ) -> None:
        bus = bus_on(amqp_url)
        await bus.open()
        await bus.listen(Handler())
        worker = Worker(bus)
        await asyncio.to_thread(rabbitmq.close_all_connections)
        future = bus.post(post())
        async with asyncio.timeout(5):
            await bus.close()
            assert isinstance(await outcome(future), ShuttingDown | None)
            await worker.stop()


class TestAway:
    """Nobody answers at RabbitMQ's address."""

    async def test_senders_are_told_in_time_that_nothing_was_sent(
        self, proxied_url: str, proxy: TcpProxy
    ) -> None:
        async with bus_on(proxied_url) as bus:
            worker, sender = Worker(bus), Sender(bus, "1")
            proxy.cut()
            await asyncio.sleep(0.1)
            _, seconds = await duration(sender.send(50))
            assert 0.9 * LIMIT < seconds < LIMIT + 0.5
            assert len(sender.of(BusUnavailable)) == 50
            assert all(error.retryable and error.retry_after_ms for error in sender.errors)
            with pytest.raises(BusUnavailable):
                await bus.ping()
            proxy.heal()
            await until_up(bus)
            await sender.send(1)
            await until(lambda: worker.of("1") == ["50"])  # and none of the others
            await worker.stop()

    async def test_publishing_binding_and_listening_end_in_time(
        self, proxied_url: str, proxy: TcpProxy
    ) -> None:
        async with bus_on(proxied_url) as bus:
            handler = Handler()
            listening = await bus.listen(handler)
            await listening.bind(["room.0"])
            proxy.cut()
            await asyncio.sleep(0.1)
            for call in (bus.publish(typing()), listening.bind(["room.1"]), bus.listen(Handler())):
                with pytest.raises(BusUnavailable):
                    await asyncio.wait_for(call, LIMIT + 0.5)
            await listening.unbind(["room.0"])  # its queue is gone
            proxy.heal()
            await until(lambda: handler.doubts > 0)
            await until_up(bus)
            await listening.bind(["room.2"])
            await bus.publish([*typing("0"), *typing("1"), *typing("2")])
            await until(lambda: len(handler.events) == 2)
            assert handler.events == [*typing("1"), *typing("2")]

    async def test_a_process_may_start_before_rabbitmq(
        self, proxied_url: str, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bus, "OPEN_SECONDS", 0.1)
        proxy.cut()
        async with bus_on(proxied_url) as late:
            with pytest.raises(BusUnavailable):
                await late.ping()
            worker = Worker(late)
            waiting = late.post(post("early"))
            proxy.heal()
            assert await outcome(waiting) is None
            await until(lambda: worker.of("1") == ["early"])
            await late.ping()
            await worker.stop()


class TestHanging:
    """The network takes bytes and forwards none."""

    async def test_everything_ends_in_time_and_goes_on_later(
        self, proxied_url: str, proxy: TcpProxy
    ) -> None:
        async with bus_on(proxied_url) as bus:
            worker, sender, handler = Worker(bus), Sender(bus, "1"), Handler()
            listening = await bus.listen(handler)
            await listening.bind(["room.1"])
            await sender.send(1)
            proxy.stall()
            _, seconds = await duration(sender.send(100))
            assert 0.9 * LIMIT < seconds < LIMIT + 0.5
            assert len(sender.of(NotConfirmed)) == 100
            for call in (bus.publish(typing()), listening.bind(["room.2"])):
                with pytest.raises(BusUnavailable):
                    await asyncio.wait_for(call, LIMIT + 0.5)
            proxy.heal()
            await until_up(bus)
            await sender.send(10)
            assert sender.confirmed == [str(number) for number in (0, *range(101, 111))]
            await until(lambda: worker.of("1")[-1:] == ["110"])
            assert in_order(worker.of("1"))
            await listening.bind(["room.2"])
            await bus.publish(typing("2"))
            await until(lambda: handler.events[-1:] == typing("2"))
            await worker.stop()

    async def test_a_connection_without_confirms_is_given_up(
        self, proxied_url: str, proxy: TcpProxy
    ) -> None:
        """Otherwise each time limit would put another batch into the socket's buffer (I7)."""
        async with bus_on(proxied_url) as bus:
            sender = Sender(bus, "1")
            await sender.send(1)
            proxy.stall()
            await sender.send(1)
            await bus.ping()  # so far nothing is known to be wrong with it
            await asyncio.sleep(1.5 * LIMIT)
            with pytest.raises(BusUnavailable):
                await bus.ping()

    async def test_closing_the_bus_does_not_wait_for_it(
        self, proxied_url: str, proxy: TcpProxy
    ) -> None:
        bus = bus_on(proxied_url)
        await bus.open()
        await bus.listen(Handler())
        worker = Worker(bus)
        await Sender(bus, "1").send(1)
        proxy.stall()
        _, seconds = await duration(bus.close())
        assert seconds < 5
        await asyncio.wait_for(worker.stop(), 5)


class TestOpening:
    async def test_another_number_of_shards_is_refused_in_one_line(self, amqp_url: str) -> None:
        """Rooms would change their shards, and order would be lost over the change."""
        async with bus_on(amqp_url, shards=2):
            pass
        for shards in (1, 3):
            with (
                capture_logs() as logs,
                pytest.raises(DifferentDeployment, match=r"ALLIBE_SHARDS.*shards\.2") as caught,
            ):
                await bus_on(amqp_url, shards=shards).open()
            assert [one for one in logs if one["log_level"] == "error"] == []
            assert "\n" not in str(caught.value)
            assert "allibe:" not in str(caught.value)  # no password

    async def test_so_is_another_bound_on_their_bytes(self, amqp_url: str) -> None:
        async with bus_on(amqp_url):
            pass
        with pytest.raises(DifferentDeployment, match=r"ALLIBE_SHARD_BYTES.*max-length-bytes"):
            await bus_on(amqp_url, shard_bytes=1 << 20).open()

    async def test_many_processes_may_open_it_at_once(self, amqp_url: str) -> None:
        buses = [bus_on(amqp_url) for _ in range(5)]
        await asyncio.gather(*(one.open() for one in buses))
        await asyncio.gather(*(one.ping() for one in buses))
        await asyncio.gather(*(one.close() for one in buses))
