"""`store.sqlite` when the file is locked, the disk full, the connection broken, tables missing."""

import asyncio
import sqlite3
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store import sqlite
from allibe_services.store.database import CALL_SECONDS
from allibe_services.store.migrate import migrate
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase, _write_ahead
from tests.support.commands import post

from .looks import ONE, last_offset, pragma

pytestmark = pytest.mark.usefixtures("room")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let another process be in the middle of a write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def damage(path: Path, *, after: int = 0) -> bytes:
    """Overwrite the file `after` so many bytes; return what it was."""
    whole = path.read_bytes()
    path.write_bytes(whole[:after] + b"damaged " * ((len(whole) - after) // 8))
    return whole


def repair(path: Path, whole: bytes) -> None:
    path.write_bytes(whole)


def driver_of(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


class TestLocked:
    async def test_a_write_fails_in_time_and_stores_nothing(
        self, path: Path, store: SqlStore
    ) -> None:
        command = post(client="c-1")
        with locked(path):
            started = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await store.log.append([command])
            assert time.monotonic() - started < CALL_SECONDS
            assert await last_offset(store) == 0
            with pytest.raises(StoreUnavailable):
                await store.ping()

        await store.ping()
        await store.log.append([command])
        assert await last_offset(store) == 1

    async def test_a_write_waits_for_a_short_one_of_another_process(
        self, path: Path, url: str, store: SqlStore
    ) -> None:
        patient = SqlStore(SqliteDatabase(url))
        with locked(path):
            appending = asyncio.create_task(patient.log.append([post()]))
            await asyncio.sleep(0.3)
            assert not appending.done()

        await appending
        assert await last_offset(store) == 1
        await patient.close()


class TestFull:
    async def test_nothing_is_lost_and_it_goes_on_when_there_is_room(
        self, database: SqliteDatabase, store: SqlStore
    ) -> None:
        pages = await database.write(pragma, "page_count")
        await database.write(pragma, f"max_page_count={pages}")
        filling = [post("x" * 8000, client=f"c-{n}") for n in range(20)]

        stored, met_the_end = 0, False
        for command in filling:
            try:
                await store.log.append([command])
                stored += 1
            except StoreUnavailable:
                met_the_end = True
        assert met_the_end
        assert await last_offset(store) == stored < 20

        await database.write(pragma, "max_page_count=100000")
        await store.ping()
        await store.log.append(filling)
        found = await store.log.after(ONE, 0, most=100)
        assert [m.offset for m in found] == list(range(1, 21))
        assert {m.message_id for m in found} == {command.message_id for command in filling}

    async def test_a_batch_that_does_not_fit_is_not_stored_in_part(
        self, database: SqliteDatabase, store: SqlStore
    ) -> None:
        pages = await database.write(pragma, "page_count")
        assert isinstance(pages, int)
        await database.write(pragma, f"max_page_count={pages + 10}")

        with pytest.raises(StoreUnavailable):
            await store.log.append([post("x" * 8000) for _ in range(20)])

        assert await last_offset(store) == 0
        assert await store.log.after(ONE, 0, most=100) == []

    async def test_ping_writes_so_that_it_notices(self, path: Path, store: SqlStore) -> None:
        await store.ping()  # opens what it needs
        before = path.with_name("allibe.db-wal").stat().st_size
        await store.ping()
        assert path.with_name("allibe.db-wal").stat().st_size > before

    async def test_ping_wants_room_for_a_batch(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "LEAST_FREE_BYTES", 1 << 60)
        with pytest.raises(StoreUnavailable):
            await store.ping()


class TestBroken:
    async def test_a_connection_that_met_damage_is_replaced(
        self, path: Path, url: str, database: SqliteDatabase
    ) -> None:
        await database.close()  # moves all from the WAL into the file
        store = SqlStore(SqliteDatabase(url))
        first = await store._database.read(driver_of)
        assert await last_offset(store) == 0
        assert await store._database.read(driver_of) is first

        whole = damage(path, after=4096)  # its first page, which is read already, stays whole
        with pytest.raises(StoreUnavailable):
            await store.log.after(ONE, 0, most=1)
        repair(path, whole)

        assert await store._database.read(driver_of) is not first
        assert await store.log.after(ONE, 0, most=1) == []
        await store.close()

    async def test_a_closed_connection_is_replaced(
        self, database: SqliteDatabase, store: SqlStore
    ) -> None:
        def break_it(connection: Connection) -> None:
            driver_of(connection).close()
            connection.execute(text("SELECT 1"))

        for run in (database.write, database.read):
            with pytest.raises(StoreUnavailable):
                await run(break_it)

        await store.log.append([post()])
        assert await last_offset(store) == 1

    async def test_a_damaged_file_is_unavailable_until_it_is_whole_again(
        self, path: Path, url: str, database: SqliteDatabase
    ) -> None:
        await database.close()
        whole = damage(path)
        store = SqlStore(SqliteDatabase(url))

        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await store.ping()
            with pytest.raises(StoreUnavailable):
                await store.log.heads([ONE])

        repair(path, whole)
        await store.ping()
        assert await last_offset(store) == 0
        await store.close()

    async def test_neither_error_nor_log_shows_sql_or_content(
        self, path: Path, store: SqlStore
    ) -> None:
        command = post("a secret")
        with locked(path), capture_logs() as logs, pytest.raises(StoreUnavailable) as caught:
            await store.log.append([command])

        shown = "".join(traceback.format_exception(caught.value)) + caught.value.message
        assert "secret" not in shown
        assert "sqlalche.me" not in shown
        assert "BEGIN" not in caught.value.message
        assert [(entry["event"], entry["error"]) for entry in logs] == [
            ("database_failed", "SQLITE_BUSY")
        ]


async def test_a_database_without_tables_is_not_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    store = SqlStore(SqliteDatabase(url))
    with pytest.raises(StoreUnavailable):
        await store.ping()

    migrate(url)
    await store.ping()

    other_revision = text("UPDATE alembic_version SET version_num = '0000'")
    await store._database.write(lambda connection: connection.execute(other_revision) and None)
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="allibe migrate"):
                await store.ping()
    assert [(one["event"], one["reason"]) for one in logs] == [
        ("database_not_current", "The database's schema is not current: run `allibe migrate`.")
    ]
    await store.close()


class _Busy:
    """A connection to a file that another process is just turning the WAL on for."""

    def __init__(self, times: int) -> None:
        self.times = times

    def execute(self, _: str) -> None:
        self.times -= 1
        if self.times >= 0:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error


def test_the_wal_is_turned_on_by_several_at_once() -> None:
    """SQLite answers "busy" to that at once, whatever its time-out (8 of 150 tries by four)."""
    _write_ahead(cast("sqlite3.Connection", _Busy(2)), 5.0)
    with pytest.raises(sqlite3.OperationalError):
        _write_ahead(cast("sqlite3.Connection", _Busy(100)), 0.0)


async def test_a_database_that_is_away_for_long_is_said_once(path: Path, store: SqlStore) -> None:
    """Each process asks for revocations every second."""
    with capture_logs() as logs:
        with locked(path):
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await store.log.append([post("hello")])
        await store.log.append([post("hello")])
    assert [entry["event"] for entry in logs] == ["database_failed", "database_back"]
