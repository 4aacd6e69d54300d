"""`python saboteur.py allibe gateway`: the real command, and faults in it when they are ordered.

An order is a line of the file `orders` in the process's folder, looked at each time that its place
in the code is passed: without orders this is the product. Classes of the product are wrapped from
here, so the product has no code for it.

    die after insert       SIGKILL itself between the INSERT and the commit of a batch
    die after commit       … before its events are published
    die after publish      … when the broker has confirmed them
    die before ack         … when it is about to ack
    hand over twice        each delivery holds its commands twice, and those of the one before
    lose events            a gateway never hears of every fifth batch of events
    lose all events        … of any

and planted bugs, which the checker must find:

    ack before commit      the delivery is acked as soon as it is there
    no gap filling         a gateway hands out what comes
    offsets from a sequence  of PostgreSQL, instead of last_offset + 1
    no unique key          nobody asks whether a message is stored already (drop the keys as well)
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from allibe_fanout_worker import consumer, sequencer
from allibe_gateway.fanout.hub import Hub
from allibe_gateway.fanout.room_feed import RoomFeed
from allibe_services.bus.base import Delivery
from allibe_services.bus.rabbitmq.deliveries import ShardDelivery
from allibe_services.contracts.commands import Outcome, PostMessage
from allibe_services.contracts.events import Event
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Head
from allibe_services.store import log as store_log
from allibe_standalone import start

ORDERS = "orders"
"""The file, in the folder that the process runs in."""

LATE_SECONDS = 0.3
"""Between the ack and the store of a worker that acks before it commits: a slow database."""

LOSE = 5


def ordered(what: str) -> bool:
    """Tell whether this is ordered now."""
    try:
        return what in Path(ORDERS).read_text().splitlines()
    except FileNotFoundError:
        return False


def die_if_ordered(where: str) -> None:
    """End as a power cut would."""
    if ordered(f"die {where}"):
        Path(ORDERS).unlink(missing_ok=True)  # once: whoever starts it again wants it to live
        os.kill(os.getpid(), signal.SIGKILL)


def _of(owner: object, name: str) -> Any:
    """Return what a module uses under this name, wherever it is from."""
    return getattr(owner, name)


def _put(owner: object, name: str, wrapper: Callable[..., Any]) -> None:
    setattr(owner, name, wrapper)


def fail_points() -> None:
    """Put `die …` between the steps of a batch."""
    write, store = _of(store_log, "write"), sequencer.Sequencer.store
    until_it_works, ack = _of(consumer, "until_it_works"), ShardDelivery.ack

    def dying_write(connection: Connection, fresh: Sequence[Message]) -> None:
        write(connection, fresh)
        die_if_ordered("after insert")

    async def dying_store(
        self: sequencer.Sequencer, commands: Sequence[PostMessage]
    ) -> list[Outcome]:
        outcomes = await store(self, commands)
        die_if_ordered("after commit")
        return outcomes

    async def dying_publish(call: Callable[[], Awaitable[Any]], **how: Any) -> Any:
        result = await until_it_works(call, **how)
        die_if_ordered("after publish")
        return result

    async def dying_ack(self: ShardDelivery, outcomes: Sequence[Outcome]) -> None:
        die_if_ordered("before ack")
        await ack(self, outcomes)

    _put(store_log, "write", dying_write)
    _put(sequencer.Sequencer, "store", dying_store)
    _put(consumer, "until_it_works", dying_publish)
    _put(ShardDelivery, "ack", dying_ack)


class _Again:
    """A delivery that a broker hands over twice."""

    def __init__(self, delivery: Delivery, before: Sequence[PostMessage]) -> None:
        self.commands = [*before, *delivery.commands, *delivery.commands]
        self._delivery = delivery
        self._skip = len(before)

    async def ack(self, outcomes: Sequence[Outcome]) -> None:
        count = len(self._delivery.commands)
        await self._delivery.ack(outcomes[self._skip : self._skip + count])


class _AckedEarly:
    """A delivery that was acked before anything was done with it."""

    def __init__(self, delivery: Delivery) -> None:
        self.commands = delivery.commands

    async def ack(self, outcomes: Sequence[Outcome]) -> None:
        pass


def deliveries() -> None:
    """Put `hand over twice` and `ack before commit` before the worker."""
    handle = consumer.ShardConsumer._handle
    before: dict[consumer.ShardConsumer, Sequence[PostMessage]] = {}

    async def handle_badly(self: consumer.ShardConsumer, delivery: Delivery) -> None:
        if ordered("ack before commit"):
            unknown: list[Any] = [None] * len(delivery.commands)
            await delivery.ack(unknown)
            await asyncio.sleep(LATE_SECONDS)
            await handle(self, _AckedEarly(delivery))
        elif ordered("hand over twice"):
            commands = delivery.commands
            await handle(self, _Again(delivery, before.get(self, ())))
            before[self] = commands
        else:
            await handle(self, delivery)

    _put(consumer.ShardConsumer, "_handle", handle_badly)


def events() -> None:
    """Put `lose events` and `no gap filling` before the rooms of a gateway."""
    on_events, on_message, compare = Hub.on_events, RoomFeed.on_message, RoomFeed.compare
    numbers = count()

    def lose_some(self: Hub, some: Sequence[Event]) -> None:
        some_are_lost = ordered("lose events") and next(numbers) % LOSE == 0
        if not (some_are_lost or ordered("lose all events")):
            on_events(self, some)

    def hand_out_what_comes(self: RoomFeed, message: Message) -> bool:
        tail = self._tail
        if tail is None or message.offset <= tail.last or not ordered("no gap filling"):
            return on_message(self, message)
        self._start_at(Head(message.epoch, message.offset - 1))  # as if nothing were missing
        return on_message(self, message)

    def do_not_compare(self: RoomFeed, head: Head, *, seen: int) -> None:
        if not ordered("no gap filling"):
            compare(self, head, seen=seen)

    _put(Hub, "on_events", lose_some)
    _put(RoomFeed, "on_message", hand_out_what_comes)
    _put(RoomFeed, "compare", do_not_compare)


def store() -> None:
    """Put `offsets from a sequence` and `no unique key` into the store."""
    lock, find = store_log._lock_rooms, store_log._find_stored

    def lock_and_count(
        connection: Connection, commands: Sequence[PostMessage]
    ) -> dict[RoomId, Head]:
        heads = lock(connection, commands)
        if not ordered("offsets from a sequence"):
            return heads
        return {
            room_id: Head(head.epoch, _next(connection, room_id, head, commands) - 1)
            for room_id, head in heads.items()
        }

    def find_nothing(connection: Connection, commands: Sequence[PostMessage]) -> list[Message]:
        return [] if ordered("no unique key") else find(connection, commands)

    _put(store_log, "_lock_rooms", lock_and_count)
    _put(store_log, "_find_stored", find_nothing)


def _next(
    connection: Connection, room_id: RoomId, head: Head, commands: Sequence[PostMessage]
) -> int:
    """Take an offset for each of a room's commands from its sequence; return the first."""
    many = sum(command.room_id == room_id for command in commands)
    name = f'"offsets of {room_id}"'
    connection.execute(text(f"CREATE SEQUENCE IF NOT EXISTS {name} START {head.last_offset + 1}"))
    taken = connection.execute(
        text(f"SELECT min(nextval('{name}')) FROM generate_series(1, {many})")
    )
    return int(taken.scalar_one())


def main() -> None:
    """Run the command whose path and arguments are ours."""
    for sabotage in (fail_points, deliveries, events, store):
        sabotage()
    del sys.argv[0]
    start.main()


if __name__ == "__main__":
    main()
