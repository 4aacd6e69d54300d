"""Whether a page of history takes longer where there is much: rooms of unequal size, in turn.

Both rooms are in one database, which is asked as rooms-api asks it, without HTTP: what is the same
for every room would hide the difference.
"""

import asyncio
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sqlalchemy import Connection, Executable, text

from allibe_services.contracts.ids import RoomId
from allibe_services.store.database import Database
from allibe_services.store.dialects import POSTGRESQL
from allibe_services.store.migrate import migrate
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from bench.errors import BenchError
from bench.scenarios import Measurement, Scenario, Setting
from deploy.cluster.servers import PostgreSQL, ProgramMissing, ServerFailed

SMALL, LARGE = RoomId("small"), RoomId("large")
SMALL_SIZE, LARGE_SIZE, QUICK_SIZE = 1_000, 1_000_000, 20_000
PAGE = 50
ROUNDS, QUICK_ROUNDS = 500, 50
WARM_UP = 50
"""Rounds that do not count: they fill caches, and PostgreSQL keeps a plan from the sixth on."""

CHUNK = 20_000
"""Messages of a transaction: each has a few seconds."""

_ROOM = text(
    "INSERT INTO rooms (room_id, name, epoch, created_at, created_by, last_offset)"
    " VALUES (:room, 'A room', 'e', 1, 'alice', :size)"
)
_MESSAGES = text(
    'INSERT INTO messages (room_id, "offset", message_id, sender, content, client_message_id,'
    " sent_at)"
    " WITH RECURSIVE n(k) AS"
    " (SELECT CAST(:first AS BIGINT) UNION ALL SELECT k + 1 FROM n WHERE k < :last)"
    " SELECT room_id, k, room_id || '-' || k, 'user-' || k % 7,"
    " 'message ' || k || ' of a usual length, as people write them', 'client-' || k, k"
    " FROM n, rooms WHERE room_id = :room"
)

Opened = Callable[[Path], AbstractAsyncContextManager[Database]]
Sizes = Mapping[RoomId, int]
Seconds = Mapping[str, Mapping[RoomId, float]]
"""Medians, by the kind of page and the room."""


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Database]:
    """Open a new database with its tables."""
    url = f"sqlite:///{folder}/allibe.db"
    await asyncio.to_thread(migrate, url)
    database = SqliteDatabase(url)
    yield database
    await database.close()


@asynccontextmanager
async def postgresql(folder: Path) -> AsyncIterator[Database]:
    """The same on a server of its own."""
    with PostgreSQL(folder / "postgresql") as server:
        url = server.create_database("bench")
        await asyncio.to_thread(migrate, url)
        database = PostgresqlDatabase(url)
        yield database
        await database.close()


async def fill(database: Database, sizes: Sizes) -> None:
    """Make rooms of so many messages."""
    for room, size in sizes.items():
        await database.write(_execute, _ROOM, {"room": room, "size": size})
        for first in range(1, size + 1, CHUNK):
            chunk = {"room": room, "first": first, "last": min(first + CHUNK - 1, size)}
            await database.write(_execute, _MESSAGES, chunk)
    await database.write(_analyse)


async def read(store: SqlStore, sizes: Sizes, rounds: int) -> Seconds:
    """Read pages of all kinds from all rooms, in turn, those in the middle anywhere in it."""
    taken: dict[str, dict[RoomId, list[float]]] = defaultdict(lambda: defaultdict(list))
    random = Random(1)
    for number in range(WARM_UP + rounds):
        for room, size in sizes.items():
            for kind, call in _pages(store, room, random.randrange(PAGE, size - PAGE)):
                since = time.perf_counter()
                await call
                if number >= WARM_UP:
                    taken[kind][room].append(time.perf_counter() - since)
    return {
        kind: {room: statistics.median(times) for room, times in rooms.items()}
        for kind, rooms in taken.items()
    }


def _pages(store: SqlStore, room: RoomId, offset: int) -> list[tuple[str, Awaitable[object]]]:
    log = store.log
    return [
        ("newest", log.before(room, None, most=PAGE)),
        ("before", log.before(room, offset, most=PAGE)),
        ("after", log.after(room, offset, most=PAGE)),
    ]


def _execute(
    connection: Connection, statement: Executable, parameters: Mapping[str, object]
) -> None:
    connection.execute(statement, parameters)


def _analyse(connection: Connection) -> None:
    """As PostgreSQL does by itself within a minute. SQLite is never told to."""
    if connection.dialect.name == POSTGRESQL:
        connection.exec_driver_sql("ANALYZE")


@dataclass(frozen=True, kw_only=True)
class HistoryGrowth(Scenario):
    """A page's median in the large room as a multiple of that in the small one: the worst kind."""

    opened: Opened

    def as_run(self, quick: bool) -> str:
        size, rounds = _size(quick)
        return f"{self.command}, {rounds} times, in rooms of {size:,} and {SMALL_SIZE:,}"

    def measure(self, setting: Setting) -> Measurement:
        large, rounds = _size(setting.quick)
        sizes = {SMALL: SMALL_SIZE, LARGE: large}
        try:
            with tempfile.TemporaryDirectory(prefix="allibe-bench-") as folder:
                seconds = asyncio.run(self._seconds(Path(folder), sizes, rounds))
        except (ServerFailed, ProgramMissing) as error:
            raise BenchError(str(error).partition("\n")[0]) from error
        ratios = {kind: rooms[LARGE] / rooms[SMALL] for kind, rooms in seconds.items()}
        told = ", ".join(
            f"{kind} {rooms[LARGE] * 1e3:.2f} against {rooms[SMALL] * 1e3:.2f} ms"
            for kind, rooms in seconds.items()
        )
        return Measurement(max(ratios.values()), {"told": told})

    async def _seconds(self, folder: Path, sizes: Sizes, rounds: int) -> Seconds:
        async with self.opened(folder) as database:
            await fill(database, sizes)
            return await read(SqlStore(database), sizes, rounds)


def _size(quick: bool) -> tuple[int, int]:
    """Return the messages of the large room, and how often both are read."""
    return (QUICK_SIZE, QUICK_ROUNDS) if quick else (LARGE_SIZE, ROUNDS)


def _history(name: str, opened: Opened) -> HistoryGrowth:
    return HistoryGrowth(
        name=f"history-{name.lower()}",
        title=f"{name}: a page of 50 in a room of {LARGE_SIZE:,} messages, as a multiple of the"
        f" same in a room of {SMALL_SIZE:,}",
        unit="ratio of medians",
        target=1.2,
        more_is_better=False,
        command="store.log.before and .after",
        opened=opened,
    )


HISTORIES: tuple[Scenario, ...] = (_history("SQLite", sqlite), _history("PostgreSQL", postgresql))
