"""Listeners on RabbitMQ: their bindings, and what they are told when they may have missed some."""

import asyncio
import random
from collections.abc import Sequence

import aio_pika
import pytest

from allibe_services.bus.rabbitmq import events, listening
from allibe_services.contracts.events import Event, Notification, Typing
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from deploy.cluster.servers import RabbitMQ
from tests.contract.factories_bus import Handler, stored
from tests.integration.rabbitmq_bus.parts import bus_on, duration, operator
from tests.support.commands import post
from tests.support.tcp_proxy import TcpProxy
from tests.support.until import until

ALICE = UserId("alice")


def typing(room: str) -> Event:
    return Typing(room_id=RoomId(room), user=ALICE)


def rooms_of(handler: Handler) -> list[str]:
    return [event.room_id for event in handler.events]


def bound(rabbitmq: RabbitMQ, url: str) -> set[str]:
    """Return the keys that RabbitMQ has under the exchange of events."""
    vhost = url.rpartition("/")[2]
    source = f'rabbit_misc:r(<<"{vhost}">>, exchange, <<"chat.events">>)'
    listed = rabbitmq.eval(
        f"[binary_to_list(element(3, B)) || B <- rabbit_binding:list_for_source({source})]"
    )
    return {key.strip('"') for key in listed.strip("[]").split(",") if key}


class TestRestored:
    async def test_a_thousand_keys_are_bound_again_and_the_handler_is_told(
        self, amqp_url: str, rabbitmq: RabbitMQ
    ) -> None:
        async with bus_on(amqp_url, publish_seconds=10.0) as bus:
            handler = Handler()
            place = await bus.listen(handler)
            keys = {f"room.{number}" for number in range(1000)}
            await place.bind(keys)
            assert await asyncio.to_thread(bound, rabbitmq, amqp_url) == keys
            assert handler.doubts == 0
            await asyncio.to_thread(rabbitmq.close_all_connections)
            await until(lambda: handler.doubts > 0, seconds=30)
            assert await asyncio.to_thread(bound, rabbitmq, amqp_url) == keys  # told afterwards
            await bus.publish([typing(str(number)) for number in range(1000)])
            await until(lambda: len(handler.events) == 1000)
            assert rooms_of(handler) == [str(number) for number in range(1000)]
            assert handler.doubts == 1

    async def test_what_is_wanted_while_rabbitmq_is_away_is_bound_when_it_is_back(
        self, proxied_url: str, proxy: TcpProxy, amqp_url: str, rabbitmq: RabbitMQ
    ) -> None:
        async with bus_on(proxied_url, publish_seconds=10.0) as bus:
            handler = Handler()
            place = await bus.listen(handler)
            await place.bind(["room.kept", "room.dropped"])
            proxy.cut()
            await asyncio.sleep(0.05)
            binding = asyncio.create_task(place.bind(["room.new"]))
            await place.unbind(["room.dropped"])
            proxy.heal()
            await binding
            await until(lambda: handler.doubts > 0)
            assert await asyncio.to_thread(bound, rabbitmq, amqp_url) == {"room.kept", "room.new"}

    async def test_a_queue_that_was_deleted_is_made_again(
        self, amqp_url: str, rabbitmq: RabbitMQ
    ) -> None:
        async with bus_on(amqp_url) as bus:
            handler = Handler()
            place = await bus.listen(handler)
            await place.bind(["room.1"])
            vhost = amqp_url.rpartition("/")[2]
            deleted = (
                f'[rabbit_amqqueue:delete(Q, false, false, <<"test">>)'
                f' || Q <- rabbit_amqqueue:list(<<"{vhost}">>),'
                " amqqueue:get_exclusive_owner(Q) =/= none]"
            )
            await asyncio.to_thread(rabbitmq.eval, deleted)
            await until(lambda: handler.doubts > 0)
            await bus.publish([typing("1")])
            await until(lambda: bool(handler.events))

    async def test_a_handler_that_fails_when_told_is_told_again_next_time(
        self, amqp_url: str, rabbitmq: RabbitMQ
    ) -> None:
        class Broken(Handler):
            def on_doubt(self) -> None:
                super().on_doubt()
                raise LookupError

        async with bus_on(amqp_url) as bus:
            handler = Broken()
            place = await bus.listen(handler)
            for doubts in (1, 2):
                await asyncio.to_thread(rabbitmq.close_all_connections)
                await until(lambda: handler.doubts == doubts)  # noqa: B023
            await asyncio.wait_for(place.bind(["room.1"]), 5)

    async def test_events_that_cannot_be_read_give_rise_to_doubt(self, amqp_url: str) -> None:
        """A newer version publishes what this one does not know: what came with it is looked up."""
        async with bus_on(amqp_url) as bus:
            handler = Handler()
            place = await bus.listen(handler)
            await place.bind(["room.1"])
            async with operator(amqp_url) as channel:
                exchange = await channel.get_exchange("chat.events", ensure=False)
                await exchange.publish(aio_pika.Message(b"of another world"), routing_key="room.1")
            await until(lambda: handler.doubts == 1)
            await bus.publish([typing("1")])
            await until(lambda: bool(handler.events))


class TestBindings:
    async def test_the_last_wish_for_a_key_is_what_stands(
        self, amqp_url: str, rabbitmq: RabbitMQ
    ) -> None:
        """Binding and unbinding at once, over several channels."""
        async with bus_on(amqp_url, publish_seconds=10.0) as bus:
            handler = Handler()
            place = await bus.listen(handler)
            dice = random.Random(1)
            keys = [f"room.{number}" for number in range(20)]
            wanted: set[str] = set()
            calls = []
            for number in range(400):
                some = dice.sample(keys, dice.randint(1, 5))
                if dice.random() < 0.5:
                    wanted.update(some)
                    calls.append(asyncio.create_task(place.bind(some)))
                else:
                    wanted.difference_update(some)
                    calls.append(asyncio.create_task(place.unbind(some)))
                if number % 7 == 0:
                    await asyncio.sleep(0.001)
            await asyncio.gather(*calls)
            assert await asyncio.to_thread(bound, rabbitmq, amqp_url) == wanted
            await bus.publish([typing(key.partition(".")[2]) for key in keys])
            await until(lambda: len(handler.events) >= len(wanted))
            assert {f"room.{room}" for room in rooms_of(handler)} == wanted

    async def test_bind_returns_when_rabbitmq_has_bound(
        self, proxied_url: str, proxy: TcpProxy
    ) -> None:
        """Not before: who binds reads the log next, and must not miss what comes after."""
        async with bus_on(proxied_url) as bus:
            place = await bus.listen(Handler())
            proxy.delay(0.1)
            _, seconds = await duration(place.bind(["room.1"]))
            assert seconds >= 0.2
            _, seconds = await duration(place.bind(["room.1"]))
            assert seconds < 0.1  # it is

    async def test_who_gives_up_binding_harms_nobody(self, amqp_url: str) -> None:
        async with bus_on(amqp_url) as bus:
            handler = Handler()
            place = await bus.listen(handler)
            for number in range(50):
                asyncio.create_task(place.bind([f"room.{number}"])).cancel()
            hasty = asyncio.create_task(place.bind(["room.1"]))
            await asyncio.sleep(0)
            hasty.cancel()
            await place.bind(["room.1", "room.2"])
            await bus.publish([typing("1"), typing("2")])
            await until(lambda: len(handler.events) == 2)
            assert handler.doubts == 0


class TestBounds:
    async def test_a_listener_that_hangs_misses_the_oldest(
        self,
        proxied_url: str,
        proxy: TcpProxy,
        amqp_url: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Its queue is bounded (I7); the gap in the offsets tells."""
        monkeypatch.setattr(listening, "QUEUE_BYTES", 100_000)
        monkeypatch.setattr(listening, "PREFETCH", 5)
        async with bus_on(proxied_url) as slow, bus_on(amqp_url) as bus:
            handler = Handler()
            await (await slow.listen(handler)).bind(["room.1"])
            proxy.stall()
            for offset in range(1, 201):
                await bus.publish([stored(post("x" * 2000), offset).message])
            proxy.heal()
            await until(lambda: offsets(handler.events)[-1:] == [200])
            seen = offsets(handler.events)
            assert seen == sorted(seen)
            assert 40 <= len(seen) < 150

    async def test_a_batch_of_many_keys_is_cut_to_fit_a_frame(self, amqp_url: str) -> None:
        """Headers cannot be longer than a frame; RabbitMQ closes the connection of who tries."""
        async with bus_on(amqp_url, publish_seconds=10.0) as bus:
            handler = Handler()
            rooms = [f"{number:064}" for number in range(2500)]
            await (await bus.listen(handler)).bind([f"room.{room}" for room in rooms])
            await bus.publish([typing(room) for room in rooms])
            await until(lambda: len(handler.events) == 2500)
            assert rooms_of(handler) == rooms
            assert handler.doubts == 0

    def test_it_is_cut_to_a_delivery_too(self) -> None:
        message = stored(post("x" * 8000)).message
        note = Notification(to=ALICE, room_id=message.room_id, message=message, unread_count=1)
        batches = list(events.batches([message, note] * 200))
        assert [one for _, batch in batches for one in batch] == [message, note] * 200
        assert [len(batch) for _, batch in batches] == [131, 131, 131, 7]
        assert all(set(keys) == {"room.1", "user.alice"} for keys, _ in batches)
        assert list(events.batches([])) == []


def offsets(seen: Sequence[Event]) -> list[int]:
    return [event.offset for event in seen if isinstance(event, Message)]
