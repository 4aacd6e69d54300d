"""`store.sqlite`: settings, files, time limits and closing; what stores promise is elsewhere."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.database import CALL_SECONDS
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import BUSY_SECONDS, WRITER_CACHE_KIB, SqliteDatabase, path_of
from tests.support.commands import post

from .looks import ONE, last_offset, pragma

pytestmark = pytest.mark.usefixtures("room")

HANGING = """
import asyncio, sys, threading
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.sqlite import SqliteDatabase

async def main():
    database = SqliteDatabase(sys.argv[1], call_seconds=0.05, close_seconds=0.05)
    for run in (database.write, database.read):
        try:
            await run(lambda connection: threading.Event().wait())
        except StoreUnavailable:
            pass
    await database.close()
    print("closed")

asyncio.run(main())
"""
"""A process whose disk never answers; its argument is the database's URL."""


class TestSettings:
    async def test_commits_reach_the_disk_and_readers_do_not_wait(
        self, database: SqliteDatabase
    ) -> None:
        for run in (database.read, database.write):
            assert await run(pragma, "journal_mode") == "wal"
            assert await run(pragma, "synchronous") == 2  # FULL
            assert await run(pragma, "foreign_keys") == 1

    async def test_a_locked_file_is_reported_before_the_call_runs_out_of_time(
        self, url: str
    ) -> None:
        database = SqliteDatabase(url)
        assert await database.write(pragma, "busy_timeout") == BUSY_SECONDS * 1000
        assert BUSY_SECONDS < CALL_SECONDS
        await database.close()

    async def test_who_writes_keeps_the_pages_of_many_rooms(self, database: SqliteDatabase) -> None:
        assert await database.write(pragma, "cache_size") == -WRITER_CACHE_KIB
        assert await database.read(pragma, "cache_size") != -WRITER_CACHE_KIB

    async def test_readers_cannot_write(self, database: SqliteDatabase) -> None:
        with pytest.raises(StoreUnavailable):
            await database.read(lambda c: c.execute(text("DELETE FROM rooms")))

        assert await database.read(lambda c: c.execute(text("SELECT count(*) FROM rooms")).scalar())

    async def test_all_reads_of_a_call_see_the_same_moment(self, store: SqlStore) -> None:
        database, between = store._database, threading.Event()

        def read_twice(connection: Connection) -> list[object]:
            count = text("SELECT count(*) FROM messages")
            first = connection.execute(count).scalar()
            between.wait(5)
            return [first, connection.execute(count).scalar()]

        reading = asyncio.create_task(database.read(read_twice))
        await asyncio.sleep(0.05)
        await store.log.append([post()])
        between.set()

        assert await reading == [0, 0]


class TestFiles:
    async def test_only_their_owner_may_see_folder_and_files(
        self, path: Path, store: SqlStore
    ) -> None:
        await store.log.append([post()])

        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {"allibe.db": 0o600, "allibe.db-wal": 0o600, "allibe.db-shm": 0o600}

    @pytest.mark.parametrize(
        ("good", "expected"),
        [
            ("sqlite:////var/lib/allibe.db", "/var/lib/allibe.db"),
            ("sqlite:///some/allibe.db", f"{Path.cwd()}/some/allibe.db"),
        ],
    )
    async def test_a_url_names_a_file(self, good: str, expected: str) -> None:
        assert path_of(good) == Path(expected)

    @pytest.mark.parametrize(
        "wrong",
        [
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "sqlite:///a.db?mode=memory",
            "sqlite://host/a.db",
            "sqlite+aiosqlite:///a.db",
            "postgresql://localhost/allibe",
            "nonsense",
            "",
        ],
    )
    async def test_other_urls_are_refused_in_words(self, wrong: str) -> None:
        with pytest.raises(ValueError, match="wanted sqlite:////absolute/path"):
            SqliteDatabase(wrong)


class TestTime:
    async def test_who_waits_too_long_is_told_and_the_write_ends_by_itself(self, url: str) -> None:
        database = SqliteDatabase(url, call_seconds=0.1)
        until = threading.Event()

        def slow(connection: Connection) -> None:
            connection.execute(text("UPDATE rooms SET name = 'slow'"))
            until.wait(10)

        with pytest.raises(StoreUnavailable, match="in time"):
            await database.write(slow)
        until.set()
        await database.close()

        with closing(sqlite3.connect(path_of(url))) as after:
            assert after.execute("SELECT name FROM rooms").fetchall() == [("slow",)]

    async def test_what_still_waits_for_its_turn_is_never_run(self, url: str) -> None:
        database = SqliteDatabase(url, call_seconds=0.1)
        until, ran = threading.Event(), []

        slow = asyncio.create_task(database.write(lambda _: until.wait(10)))
        late = asyncio.create_task(database.write(lambda _: ran.append("late")))
        for task in (slow, late):
            with pytest.raises(StoreUnavailable):
                await task
        until.set()
        await database.close()

        assert ran == []

    async def test_a_cancelled_call_finishes_its_transaction(
        self, database: SqliteDatabase, url: str
    ) -> None:
        entered = threading.Event()

        def slow(connection: Connection) -> None:
            entered.set()
            time.sleep(0.2)
            connection.execute(text("UPDATE rooms SET name = 'kept'"))

        writing = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(entered.wait)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await database.close()

        with closing(sqlite3.connect(path_of(url))) as after:
            assert after.execute("SELECT name FROM rooms").fetchall() == [("kept",)]

    async def test_a_long_read_holds_up_neither_writes_nor_other_reads(
        self, store: SqlStore
    ) -> None:
        until = threading.Event()
        reading = asyncio.create_task(store._database.read(lambda _: until.wait(5)))

        await store.log.append([post()])
        assert await last_offset(store) == 1
        until.set()
        assert await reading


class TestClose:
    async def test_it_ends_threads_connections_and_later_calls(
        self, path: Path, url: str, database: SqliteDatabase
    ) -> None:
        await database.close()
        threads = set(threading.enumerate())
        other = SqlStore(SqliteDatabase(url))
        await asyncio.gather(*(other.log.heads([ONE]) for _ in range(20)), other.ping())
        assert any(thread.name.startswith("sqlite") for thread in threading.enumerate())

        await other.close()

        left = set(threading.enumerate()) - threads
        assert not [thread for thread in left if thread.name.startswith("sqlite")]
        assert [file.name for file in path.parent.iterdir()] == ["allibe.db"]
        for call in (other.log.append([post()]), other.log.heads([ONE]), other.ping()):
            with pytest.raises(StoreUnavailable, match="closed"):
                await call

    async def test_closing_twice_or_unused_is_fine(self, url: str) -> None:
        database = SqliteDatabase(url)
        await database.close()
        await database.close()

    async def test_what_was_asked_for_before_is_done(self, store: SqlStore, url: str) -> None:
        appending = [asyncio.create_task(store.log.append([post()])) for _ in range(20)]
        await asyncio.sleep(0)
        await store.close()

        assert len(await asyncio.gather(*appending)) == 20
        again = SqlStore(SqliteDatabase(url))
        assert await last_offset(again) == 20
        await again.close()

    async def test_a_transaction_that_hangs_is_left_to_itself(self, url: str) -> None:
        """A disk that hangs must not keep SIGTERM from working."""
        database, until = (
            SqliteDatabase(url, call_seconds=0.05, close_seconds=0.05),
            threading.Event(),
        )
        with pytest.raises(StoreUnavailable):
            await database.write(lambda _: until.wait(10))

        started = time.monotonic()
        with capture_logs() as logs:
            await database.close()

        assert time.monotonic() - started < 5
        assert [entry["event"] for entry in logs] == ["database_did_not_close_in_time"]
        until.set()
        await database.close()  # nothing hangs any more: now it ends as always

    def test_a_transaction_that_hangs_does_not_keep_the_process_from_ending(self, url: str) -> None:
        """Python waits at its exit for threads that are no daemons."""
        done = subprocess.run(
            [sys.executable, "-c", HANGING, url],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1] == "closed"
