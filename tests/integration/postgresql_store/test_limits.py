"""`store.postgresql`: time limits, turns, locks of others; each call ends in time, and well."""

import asyncio
import time

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.database import CALL_SECONDS
from allibe_services.store.postgresql_pool import (
    CONNECT_SECONDS,
    IDLE_SECONDS,
    LOCK_SECONDS,
    STATEMENT_SECONDS,
)
from allibe_services.store.sql import SqlStore
from deploy.cluster.servers import PostgreSQL
from tests.support.commands import post

from .conftest import Open
from .looks import ONE, history, other_client, run, unavailable


class TestSession:
    async def test_its_limits_are_the_servers_own(self, store: SqlStore) -> None:
        """They hold for a process that was stopped, too."""
        expected = {
            "statement_timeout": f"{STATEMENT_SECONDS:.0f}s",
            "lock_timeout": f"{LOCK_SECONDS:.0f}s",
            "idle_in_transaction_session_timeout": f"{IDLE_SECONDS:.0f}s",
            "application_name": "allibe",
            "jit": "off",
        }
        for name, value in expected.items():
            assert await store._database.write(run, f"SHOW {name}") == value

    def test_the_server_says_why_before_the_call_runs_out_of_time(self) -> None:
        assert max(CONNECT_SECONDS, LOCK_SECONDS, STATEMENT_SECONDS) < CALL_SECONDS

    async def test_the_url_may_give_another_name(self, url: str, open_store: Open) -> None:
        named = open_store(f"{url}?application_name=worker-7")
        assert await named._database.read(run, "SHOW application_name") == "worker-7"

    async def test_the_isolation_does_not_depend_on_the_databases_default(
        self, url: str, open_store: Open
    ) -> None:
        async with other_client(url) as other:
            name = await other.fetchval("SELECT current_database()")
            await other.execute(
                f"ALTER DATABASE {name} SET default_transaction_isolation='serializable'"
            )
        database = open_store()._database
        show = "SHOW transaction_isolation"
        assert await database.write(run, show) == "read committed"
        assert await database.read(run, show) == "repeatable read"

    async def test_all_reads_of_a_call_see_the_same_moment(self, store: SqlStore) -> None:
        def read_twice(connection: Connection) -> list[object]:
            count = "SELECT count(*) FROM messages"
            first = run(connection, count)
            run(connection, "SELECT pg_sleep(0.3)")
            return [first, run(connection, count)]

        reading = asyncio.create_task(store._database.read(read_twice))
        await asyncio.sleep(0.1)
        await store.log.append([post()])

        assert await reading == [0, 0]

    async def test_readers_cannot_write(self, store: SqlStore) -> None:
        with pytest.raises(StoreUnavailable):
            await store._database.read(run, "DELETE FROM rooms")
        assert await store._database.read(run, "SELECT count(*) FROM rooms") == 2


class TestTime:
    async def test_a_statement_that_takes_too_long_is_ended_by_the_server(
        self, open_store: Open
    ) -> None:
        store = open_store(statement_timeout=0.2)
        with capture_logs() as logs, unavailable(within=0.2):
            await store._database.write(run, "SELECT pg_sleep(30)")
        assert [(entry["event"], entry["error"]) for entry in logs] == [
            ("database_failed", "57014")
        ]

    async def test_many_statements_that_take_too_long_together_are_cut_off(
        self, open_store: Open, store: SqlStore
    ) -> None:
        impatient = open_store(call_seconds=0.4, connections=1)

        def slowly(connection: Connection) -> None:
            run(connection, "UPDATE rooms SET name = 'changed'")
            while True:
                run(connection, "SELECT pg_sleep(0.05)")

        with unavailable(within=0.4):
            await impatient._database.write(slowly)

        assert (await store.rooms.get(ONE, post().sender)).name == "Room 1"
        await impatient.ping()

    async def test_calls_beyond_the_connections_wait_their_turn_and_not_for_ever(
        self, open_store: Open, url: str
    ) -> None:
        store, ran = open_store(connections=2, call_seconds=0.5), []
        sleeping = "SELECT pg_sleep(0.05)"
        await asyncio.gather(*(store._database.read(run, sleeping) for _ in range(10)))

        calls = [store._database.write(run, "SELECT pg_sleep(2)") for _ in range(2)]
        late = [store._database.write(lambda _: ran.append("late")) for _ in range(20)]
        started = time.monotonic()
        answers = asyncio.gather(*calls, *late, return_exceptions=True)
        await asyncio.sleep(0.2)
        async with other_client(url) as other:
            backends = await other.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'allibe'"
                " AND datname = current_database()"
            )
        assert [type(answer) for answer in await answers] == [StoreUnavailable] * 22

        assert time.monotonic() - started < 1.5
        assert backends == 2
        assert ran == []
        await store.ping()

    async def test_a_cancelled_call_finishes_its_transaction(self, store: SqlStore) -> None:
        """Whoever closes a connection in the middle of a page must not cost us one of ours."""

        def slowly(connection: Connection) -> None:
            run(connection, "SELECT pg_sleep(0.2)")
            run(connection, "UPDATE rooms SET name = 'kept'")

        await store.ping()
        pid = await store._database.read(run, "SELECT pg_backend_pid()")
        writing = asyncio.create_task(store._database.write(slowly))
        await asyncio.sleep(0.1)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await asyncio.sleep(0.4)

        assert (await store.rooms.get(ONE, post().sender)).name == "kept"
        assert await store._database.read(run, "SELECT pg_backend_pid()") == pid

    async def test_a_cancelled_call_that_waits_for_its_turn_is_never_run(
        self, open_store: Open
    ) -> None:
        store, ran = open_store(connections=1), []
        running = asyncio.create_task(store._database.read(run, "SELECT pg_sleep(0.3)"))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(store._database.write(lambda _: ran.append("late")))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await running
        await store.ping()

        assert ran == []

    async def test_a_cancelled_call_does_not_outlive_its_limit(self, open_store: Open) -> None:
        store = open_store(connections=1, call_seconds=0.4)
        endless = asyncio.create_task(store._database.write(run, "SELECT pg_sleep(3)"))
        await asyncio.sleep(0.1)
        endless.cancel()
        await asyncio.sleep(0.5)

        await store.ping()


class TestLocked:
    async def test_a_row_that_somebody_else_holds_is_waited_for_a_while(
        self, open_store: Open, store: SqlStore, url: str
    ) -> None:
        impatient, command = open_store(lock_timeout=0.3), post(client="c-1")
        async with other_client(url) as other, other.transaction():
            await other.execute("UPDATE rooms SET name = 'held' WHERE room_id = '1'")
            with capture_logs() as logs, unavailable(within=0.3):
                await impatient.log.append([command])
            assert [entry["error"] for entry in logs] == ["55P03"]
            await impatient.log.append([post(room="2")])

            patient = asyncio.create_task(store.log.append([command]))
            await asyncio.sleep(0.2)
            assert not patient.done()
        await patient

        assert len(await history(store)) == 1

    async def test_an_idle_transaction_loses_its_locks(
        self, open_store: Open, store: SqlStore
    ) -> None:
        """The event loop of its process hangs, or the whole process was stopped."""
        stopped = open_store(idle_in_transaction_session_timeout=0.2)

        def hang(connection: Connection) -> None:
            run(connection, "SELECT 1 FROM rooms FOR NO KEY UPDATE")
            time.sleep(0.6)
            run(connection, "UPDATE rooms SET name = 'lost'")

        with unavailable(within=1):
            await stopped._database.write(hang)
        await store.log.append([post()])
        await stopped.log.append([post()])
        assert len(await history(store)) == 2


class TestClose:
    async def test_it_ends_connections_and_later_calls(
        self, open_store: Open, postgres: PostgreSQL, url: str
    ) -> None:
        store = open_store()
        await asyncio.gather(*(store.log.heads([ONE]) for _ in range(8)))

        await store.close()

        async with other_client(url) as other:
            left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'allibe'"
            for _ in range(50):
                count = await other.fetchval(f"{left} AND datname = current_database()")
                if not count:
                    break
                await asyncio.sleep(0.05)
        assert count == 0
        for call in (store.log.append([post()]), store.log.heads([ONE]), store.ping()):
            with pytest.raises(StoreUnavailable, match="closed"):
                await call

    async def test_closing_twice_or_unused_is_fine(self, open_store: Open) -> None:
        store = open_store()
        await store.close()
        await store.close()

    async def test_what_was_asked_for_before_is_done(
        self, open_store: Open, store: SqlStore
    ) -> None:
        other = open_store(connections=2)
        appending = [asyncio.create_task(other.log.append([post()])) for _ in range(20)]
        await asyncio.sleep(0)
        await other.close()

        assert len(await asyncio.gather(*appending)) == 20
        assert len(await history(store)) == 20
