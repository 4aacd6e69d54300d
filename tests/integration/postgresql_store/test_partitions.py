"""Messages in partitions by room: each room's are in one; migrating loses nothing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, TextClause, event, text

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.store import log, postgresql_exclusive
from allibe_services.store.migrate import configuration, current, migrate
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from allibe_services.store.tables import MESSAGE_PARTITIONS, REVISION
from tests.support.commands import post
from tests.support.plans import MODES, Mode, explain

ALICE = UserId("alice")
ROOMS = [RoomId(f"r{n}") for n in range(24)]
ONE = ROOMS[0]

_LOCKED = text(
    "SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
    " WHERE pid = pg_backend_pid() AND relname ~ '^messages_[0-9]+$'"
)
_FULL = text("SELECT count(DISTINCT tableoid) FROM messages")
_ALL = text('SELECT * FROM messages ORDER BY room_id, "offset"')
_FORMER = text("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'former%'")


@pytest.fixture
async def database(store: SqlStore) -> PostgresqlDatabase:
    """Rooms of alice's in every partition, with 20 messages each."""
    for room_id in ROOMS:
        await store.rooms.create("room", ALICE, room_id=room_id)
        await store.log.append([post(room=room_id, client=f"{n}") for n in range(20)])
    assert isinstance(store._database, PostgresqlDatabase)
    assert await store._database.read(lambda c: c.execute(_FULL).scalar_one()) == MESSAGE_PARTITIONS
    return store._database


@pytest.mark.parametrize("mode", MODES)
async def test_reading_a_room_touches_its_partition_only(
    store: SqlStore, database: PostgresqlDatabase, mode: Mode
) -> None:
    texts: dict[str, Any] = {}

    def hear(_connection: Connection, _cursor: object, asked: str, given: Any, *_: object) -> None:
        if "messages" in asked and "INSERT INTO" not in asked:
            texts[asked] = given

    event.listen(database._writing.sync_engine, "before_cursor_execute", hear)
    await store.log.after(ONE, 5, most=10)
    await store.log.before(ONE, None, most=10)
    await store.rooms.get(ONE, ALICE)
    await store.members.unread({ONE: None}, most=10)
    known = post(room=ONE, client="7")
    await store.log.append([known, known])
    assert len(texts) >= 6

    def touched(connection: Connection) -> dict[str, set[str]]:
        found = {}
        for asked, given in list(texts.items()):
            rows = explain(connection, asked, given, mode, "ANALYZE")
            ran = "\n".join(row for row in rows if "never executed" not in row)
            found[asked] = set(re.findall(r" on (messages_\d+)", ran))
        return found

    found = await database.write(touched)
    assert {len(partitions) for partitions in found.values()} == {1}, found
    assert len(set.union(*found.values())) == 1


@pytest.mark.parametrize("count", [1, 5])
async def test_writing_to_a_room_touches_its_partition_only(
    database: PostgresqlDatabase, count: int
) -> None:
    def append(connection: Connection) -> int:
        log.append(connection, [post(room=ONE) for _ in range(count)])
        return int(connection.execute(_LOCKED).scalar_one())

    assert await database.write(append) == 1


def test_what_was_stored_before_is_moved_and_may_be_moved_back(postgres_url: str) -> None:
    def ask(statement: TextClause) -> list[Any]:
        return postgresql_exclusive.exclusively(
            postgres_url, lambda c: [tuple(row) for row in c.execute(statement)]
        )

    def step(move: Callable[[Config, str], None]) -> None:
        postgresql_exclusive.exclusively(postgres_url, lambda c: move(configuration(c), "0005"))

    step(command.upgrade)
    postgresql_exclusive.exclusively(postgres_url, _fill)
    before = ask(_ALL)
    migrate(postgres_url)
    assert current(postgres_url) == REVISION
    assert ask(_ALL) == before
    assert (len(before), ask(_FULL), ask(_FORMER)) == (200, [(MESSAGE_PARTITIONS,)], [(0,)])
    step(command.downgrade)
    assert ask(_ALL) == before
    migrate(postgres_url)
    assert (ask(_ALL), ask(_FULL)) == (before, [(MESSAGE_PARTITIONS,)])


def _fill(connection: Connection) -> None:
    for statement in (
        "INSERT INTO rooms (room_id, name, epoch, created_at, created_by)"
        " SELECT 'r' || n, 'room', 'e', 1, 'alice' FROM generate_series(1, 40) n",
        "INSERT INTO messages SELECT 'r' || n, k, n || '-' || k, 'alice', NULL, 'hello',"
        " NULLIF(k, 3)::text, k FROM generate_series(1, 40) n, generate_series(1, 5) k",
    ):
        connection.execute(text(statement))
