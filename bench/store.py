"""What the store does on PostgreSQL, alone: `python -m bench.store`. Nothing is recorded.

A private PostgreSQL that waits for the disk, one process that asks. Everything shares the machine's
cores, and the disk's fsync differs from day to day: compare within one run.
"""

import asyncio
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import uvloop

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId, new_message_id
from allibe_services.store.migrate import migrate
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from deploy.cluster.servers import PostgreSQL

SECONDS = 2.0
ROOMS = 1000
LISTED = 500
HISTORIES = {"small": 1_000, "large": 200_000}

ALICE, MEMBER = UserId("alice"), UserId("user-1")
TEXT = "a message of a usual length, as people write them"


def batch(size: int, rooms: list[RoomId], at: int) -> list[PostMessage]:
    """Return new commands, the rooms in turn from one on."""
    return [
        PostMessage(
            message_id=new_message_id(),
            room_id=rooms[(at + n) % len(rooms)],
            sender=UserId(f"user-{n % 7}"),
            content=TEXT,
            sent_at=datetime.now(UTC),
            sender_name="Alice",
            client_message_id=new_message_id(),
        )
        for n in range(size)
    ]


async def appends(store: SqlStore, size: int, rooms: list[RoomId], at_once: int) -> None:
    """Print messages per second and the time of a call, with so many calls under way."""
    taken: list[float] = []
    until, start = time.perf_counter() + SECONDS, count(step=size)

    async def append() -> None:
        while time.perf_counter() < until:
            commands, since = batch(size, rooms, next(start)), time.perf_counter()
            await store.log.append(commands)
            taken.append(time.perf_counter() - since)

    cpu, since = _cpu(), time.perf_counter()
    await asyncio.gather(*(append() for _ in range(at_once)))
    rate = len(taken) * size / (time.perf_counter() - since)
    what = f"append {size:3} to {len(rooms):4} rooms, {at_once} at once: {rate:7,.0f}/s"
    print(f"{what}  {_times(taken, _cpu() - cpu)}", flush=True)


async def calls(what: str, call: Callable[[], Awaitable[object]], times: int = 200) -> None:
    """Print the time of a call that reads."""
    for _ in range(20):
        await call()
    taken, cpu = [], _cpu()
    for _ in range(times):
        since = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - since)
    print(f"{what}: {_times(taken, _cpu() - cpu)}", flush=True)


async def history(store: SqlStore, room: RoomId, size: int) -> None:
    """Fill a room; print what pages of it take."""
    await store.rooms.create("room", ALICE, room_id=room)
    for start in range(0, size, 500):
        await store.log.append(batch(500, [room], start))
    of = f"of {size:,} messages"
    await calls(f"newest 50 {of}", lambda: store.log.before(room, None, most=50))
    await calls(f"50 in the middle {of}", lambda: store.log.before(room, size // 2, most=50))
    await calls(f"recovery of 500 {of}", lambda: store.log.after(room, size // 2, most=500))
    await calls(f"unread counts {of}", lambda: store.members.unread({room: None}, most=100))


async def main() -> None:
    """Measure everything on a server of its own."""
    with tempfile.TemporaryDirectory() as folder, PostgreSQL(Path(folder) / "postgres") as server:
        url = server.create_database("bench")
        migrate(url)
        store = SqlStore(PostgresqlDatabase(url))
        rooms = [RoomId(f"room-{n}") for n in range(ROOMS)]
        for n, room in enumerate(rooms):
            others = [MEMBER] if n < LISTED else []
            await store.rooms.create("room", ALICE, members=others, room_id=room)
        for at_once in (1, 8):
            for size in (1, 50, 500):
                for number in (1, 100, ROOMS):
                    await appends(store, size, rooms[:number], at_once)
        for name, size in HISTORIES.items():
            await history(store, RoomId(name), size)
        await calls("50 of 500 rooms", lambda: store.rooms.of_user(MEMBER, most=50), 50)
        await calls("all of 500 rooms", lambda: store.rooms.of_user(MEMBER, most=LISTED), 50)
        await store.close()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _times(taken: list[float], cpu: float) -> str:
    taken.sort()
    middle, late = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    ours = cpu / len(taken)
    return f"p50 {middle * 1e3:.2f} ms, p99 {late * 1e3:.2f} ms, {ours * 1e3:.2f} ms of our CPU"


if __name__ == "__main__":
    uvloop.run(main())
