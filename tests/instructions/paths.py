"""Count what Python does on the hot paths: `python -m tests.instructions.paths` prints it as JSON.

An instruction of the interpreter counts as one, and so does a call of what is written in C,
whatever it does inside: the figures are the same in each run, on every machine.
"""

import asyncio
import itertools
import json
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any

from allibe_gateway.doors.stomp import StompDoor
from allibe_gateway.doors.stomp_view import stomp_view
from allibe_gateway.fanout.hub import Hub
from allibe_gateway.fanout.outbox import Outbox
from allibe_gateway.stomp import Version
from allibe_gateway.websocket_frames import text_frame
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.events import UserEvent
from allibe_services.contracts.ids import MessageId, RoomId, UserId
from allibe_services.contracts.messages import now
from tests.instructions.connecting import connections
from tests.integration.gateway import ALICE, ONE, running
from tests.unit.gateway.doors.connections import FakeConnection
from tests.unit.gateway.fakes import ROOM, message
from tests.unit.gateway.world import token, world_of

CONNECT = "CONNECT\naccept-version:1.2\nhost:h\nAuthorization:{}\n\n\0"
SEND = (
    b"SEND\ndestination:/app/message\ncontent-type:application/json\nreceipt:r-1\n\n"
    b'{"content":"hello","roomId":"1"}\0'
)
BATCH = 100
"""Commands that wait together for the log."""

OTHERS = 200
"""Rooms and users that a message has nothing to do with."""

WARM = 5
"""Steps that are not counted: they fill caches."""


class Sink:
    """A transport whose peer takes all at once."""

    def write(self, data: bytes) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


Trace = Callable[[FrameType, str, object], Any]
Step = Callable[[], Awaitable[object]]


class Counter:
    """Instructions and calls of all code that runs while it is on, in every thread."""

    def __init__(self) -> None:
        self._count = itertools.count()
        threading.settrace(self._trace)
        threading.setprofile(self._profile)

    async def of(self, step: Step, times: int) -> float:
        """Return the count of one step; one that was not done before does more."""
        for _ in range(WARM):
            await step()
        before = next(self._count)
        sys.settrace(self._trace)
        sys.setprofile(self._profile)
        try:
            await self._repeat(step, times)
        finally:
            sys.settrace(None)
            sys.setprofile(None)
        return (next(self._count) - before) / times

    async def _repeat(self, step: Step, times: int) -> None:
        # In a frame of its own: only frames that begin while tracing is on are traced.
        for _ in range(times):
            await step()

    def _trace(self, frame: FrameType, event: str, _: object) -> "Trace":
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode":
            next(self._count)
        return self._trace

    def _profile(self, _frame: FrameType, event: str, _: object) -> None:
        if event == "c_call":
            next(self._count)


async def send(counter: Counter) -> float:
    """A SEND of a STOMP client: parsed, allowed, published, its RECEIPT written."""
    async with world_of() as world:
        connection = FakeConnection()
        connection.outbox = Outbox(Sink(), most=1 << 20, shed=1 << 16, overflow=lambda: None)
        door = StompDoor(connection, world.shared, "")
        await door.receive(CONNECT.format(token()).encode())

        async def step() -> None:
            await door.receive(SEND)
            ((_, confirmed),) = world.bus.posted
            world.bus.posted.clear()
            confirmed.set_result(None)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        count = await counter.of(step, 50)
        await door.close()
        return count


async def event(counter: Counter, subscribers: int, others: int = 0) -> float:
    """An event of one message: encoded for its room, and written to each subscriber."""
    async with world_of() as world:
        world.store.log.rooms |= {other: [] for other in _others(others)}
        await _come(world.hub, *[ROOM] * subscribers, *_others(others))
        offsets = itertools.count(1)

        async def step() -> None:
            world.hub.on_events([message(next(offsets))])
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        return await counter.of(step, 50)


async def store(counter: Counter, others: int = 0) -> float:
    """A command of a batch: taken from the bus, stored in SQLite, published, confirmed."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as site:
            for other in _others(others):
                await site.store.rooms.create("other", UserId(other), room_id=other)
            await _come(site.gateway._shared.hub, *_others(others))
            batches = itertools.count()

            async def step() -> None:
                batch = next(batches)
                commands = [
                    PostMessage(MessageId(f"{batch}-{one}"), ONE, ALICE, "hello", now())
                    for one in range(BATCH)
                ]
                await asyncio.gather(*map(site.bus.post, commands))

            return await counter.of(step, 10) / BATCH


async def connection(counter: Counter) -> float:
    """A connection: handshake, CONNECT with a token, SUBSCRIBE to a room, and its end."""
    async with connections() as step:
        return await counter.of(step, 50)


class Somebody:
    """A session that has nothing to do with what happens."""

    def on_user_event(self, event: UserEvent) -> None: ...

    def on_log_reset(self, room_id: RoomId) -> None: ...

    def on_revocations(self) -> None: ...

    def rooms(self) -> set[RoomId]:
        return set()


def _others(count: int) -> list[RoomId]:
    return [RoomId(f"other-{number}") for number in range(count)]


async def _come(hub: Hub, *rooms: RoomId) -> None:
    """Let a user subscribe to each room."""
    for number, room in enumerate(rooms):
        view = stomp_view(text_frame, Version.V1_2, "sub-0", f"/topic/rooms/{room}", ack=False)
        outbox = Outbox(Sink(), most=1 << 20, shed=1 << 16, overflow=lambda: None)
        await hub.join(room, view, outbox, None)
        await hub.attach(UserId(f"somebody-{number}"), Somebody())


async def main() -> dict[str, float]:
    """Return the count of each path."""
    counter = Counter()
    few, many = await event(counter, 10), await event(counter, 1010)
    each = (many - few) / 1000
    among = await event(counter, 10, OTHERS)
    return {
        "send": await send(counter),
        "event": few - 10 * each,
        "delivery": each,
        "command": await store(counter),
        "connection": await connection(counter),
        "event among others": among - 10 * each,
        "command among others": await store(counter, OTHERS),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
