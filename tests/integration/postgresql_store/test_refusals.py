"""`store.postgresql` where the server answers, and refuses: what each error means, and after it."""

import asyncio
import traceback

import pytest
from structlog.testing import capture_logs

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.sql import SqlStore
from deploy.cluster.servers import PostgreSQL
from tests.support.commands import post

from .conftest import Open
from .looks import ONE, eventually, history, other_client, run, unavailable


class TestRefusing:
    async def test_a_server_that_takes_no_writes_is_not_ready(
        self, store: SqlStore, open_store: Open, url: str
    ) -> None:
        """A standby after a failover, or a provider that stopped writes on a full disk."""
        async with other_client(url) as other:
            name = await other.fetchval("SELECT current_database()")
            await other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            refused = open_store()
            with unavailable(within=1):
                await refused.log.append([post()])
            with unavailable(within=1):
                await refused.ping()

            await other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            await refused.ping()
            await refused.log.append([post()])
        assert len(await history(store)) == 1

    async def test_a_server_that_stops_to_take_writes_is_no_longer_ready(
        self, own_server: PostgreSQL, own_url: str, open_store: Open
    ) -> None:
        store = open_store(own_url)
        await store.ping()
        read_only = "default_transaction_read_only"
        async with other_client(own_url) as other:
            await other.execute(f"ALTER SYSTEM SET {read_only} = on")
            await other.execute("SELECT pg_reload_conf()")
            await asyncio.sleep(0.2)
            with unavailable(within=1):
                await store.ping()
            await other.execute("SET default_transaction_read_only = off")
            await other.execute(f"ALTER SYSTEM RESET {read_only}")
            await other.execute("SELECT pg_reload_conf()")
        await eventually(store.ping)

    async def test_ready_is_who_commits(self, store: SqlStore) -> None:
        """A ping goes through the log of the database, to the disk and to the standbys."""
        position = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
        before = await store._database.read(run, position)
        for _ in range(20):
            await store.ping()
        after = await store._database.read(run, position)
        assert int(str(after)) - int(str(before)) > 20 * 80  # a message, and its commit

    async def test_a_connection_to_what_became_read_only_is_replaced(
        self, open_store: Open, store: SqlStore
    ) -> None:
        one = open_store(connections=1)
        pid = await one._database.write(run, "SELECT pg_backend_pid()")
        await one._database.write(run, "SET default_transaction_read_only = on")
        with unavailable(within=1):
            await one.log.append([post()])
        await one.log.append([post()])
        assert await one._database.write(run, "SELECT pg_backend_pid()") != pid

    async def test_too_many_connections_is_said_to_be_later(
        self, url: str, open_store: Open, postgres: PostgreSQL
    ) -> None:
        async with other_client(url) as other:
            await other.execute("CREATE ROLE limited LOGIN PASSWORD 'x' CONNECTION LIMIT 1")
            try:
                limited = url.replace(url.partition("://")[2].partition("@")[0], "limited:x")
                store = open_store(limited, connections=2)
                first = asyncio.create_task(store._database.read(run, "SELECT pg_sleep(0.5)"))
                await asyncio.sleep(0.2)
                with capture_logs() as logs, unavailable(within=1):
                    await store._database.read(run, "SELECT 1")
                assert [entry["error"] for entry in logs] == ["53300"]
                await first
                assert await store._database.read(run, "SELECT 1") == 1
                await store.close()
            finally:
                await other.execute("DROP ROLE limited")

    async def test_a_wrong_password_is_told_without_it(self, url: str, open_store: Open) -> None:
        wrong = url.replace(url.partition("://")[2].partition("@")[0], "allibe:hunter2")
        store = open_store(wrong)
        with capture_logs() as logs, pytest.raises(StoreUnavailable) as caught:
            await store.ping()

        assert [entry["error"] for entry in logs] == ["28P01"]
        shown = "".join(traceback.format_exception(caught.value))
        assert "hunter2" not in shown + repr(store._database._writing) + str(logs)  # type: ignore[attr-defined]

    async def test_neither_error_nor_log_shows_sql_or_content(
        self, store: SqlStore, url: str, open_store: Open
    ) -> None:
        impatient, command = open_store(lock_timeout=0.1), post("a secret")
        async with other_client(url) as other, other.transaction():
            await other.execute("UPDATE rooms SET name = 'held'")
            with capture_logs() as logs, pytest.raises(StoreUnavailable) as caught:
                await impatient.log.append([command])

        shown = "".join(traceback.format_exception(caught.value)) + str(logs)
        assert "secret" not in shown
        assert "SELECT" not in shown


TRIGGER = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.content ~ '^[0-9A-Z]{5}$' THEN
        RAISE EXCEPTION 'a secret' USING ERRCODE = NEW.content;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse()
"""
"""Refuses a message whose content is the code of an error, with that error."""


class TestCodes:
    """PostgreSQL's "Appendix A. Error Codes": what each means to the caller."""

    @pytest.fixture(autouse=True)
    async def _refusing(self, store: SqlStore, url: str) -> None:
        async with other_client(url) as other:
            await other.execute(TRIGGER)

    @pytest.mark.parametrize(
        ("code", "what"),
        [
            ("40001", "serialization failure"),
            ("40P01", "deadlock"),
            ("53100", "disk_full"),
            ("53200", "out of memory"),
            ("55P03", "lock timeout"),
            ("57014", "cancelled"),
            ("57P01", "shut down"),
            ("58030", "input or output error"),
            ("25006", "read only"),
            ("42501", "not permitted"),
            ("XX000", "internal error"),
            ("XX001", "data corrupted"),
        ],
    )
    async def test_what_is_wrong_with_the_server_is_to_be_tried_again(
        self, store: SqlStore, code: str, what: str
    ) -> None:
        with capture_logs() as logs:
            for _ in range(2):
                with unavailable(within=1):
                    await store.log.append([post(), post(code), post()])
        assert [entry["error"] for entry in logs] == [code]  # once, not each time
        await store.log.append([post()])
        assert len(await history(store)) == 1

    @pytest.mark.parametrize("code", ["22001", "22021", "22P05", "23514", "54000"])
    async def test_what_is_wrong_with_the_message_sets_it_aside_alone(
        self, store: SqlStore, code: str
    ) -> None:
        old = post("before", client="c-0")
        await store.log.append([old])
        commands = [post("a"), post(code), post(code, client="c-1"), old, post("b", client="c-1")]

        outcomes = await store.log.append([*commands, post(code)])

        kinds = ["Stored", "Rejected", "Rejected", "Stored", "Stored", "Rejected"]
        assert [type(outcome).__name__ for outcome in outcomes] == kinds
        assert [message.content for message in await history(store)] == ["before", "a", "b"]


async def test_a_database_without_tables_is_not_ready(
    postgres: PostgreSQL, open_store: Open
) -> None:
    empty = open_store(postgres.create_database("empty"))
    for call in (empty.ping(), empty.log.heads([ONE]), empty.log.append([post()])):
        with pytest.raises(StoreUnavailable, match="allibe migrate"):
            await call


async def test_of_several_hosts_the_one_that_takes_writes_is_used(
    url: str, postgres: PostgreSQL, own_server: PostgreSQL, store: SqlStore, open_store: Open
) -> None:
    """A standby may answer first; a read from it could miss what was stored."""
    login, _, place = url.partition("://")[2].partition("@")
    name = place.partition("/")[2]
    other = own_server.create_database(name)
    async with other_client(other) as standby:
        await standby.execute(f"ALTER ROLE allibe PASSWORD '{login.partition(':')[2]}'")
        await standby.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    hosts = f"host=127.0.0.1,127.0.0.1&port={own_server.port},{postgres.port}"
    both = open_store(f"postgresql://{login}@/{name}?{hosts}")
    for _ in range(3):
        await both.log.append([post()])

    assert len(await history(store)) == 3
