"""`store.migrate` on PostgreSQL: at once, all or nothing, and refusals in one line."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text
from structlog.testing import capture_logs

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store import postgresql_exclusive
from allibe_services.store.migrate import current, migrate
from allibe_services.store.tables import REVISION, metadata
from deploy.cluster.servers import PostgreSQL, reserve_port
from deploy.cluster.servers.ports import release_port

from .looks import other_client

MIGRATE = "import sys; from allibe_services.store.migrate import migrate; migrate(sys.argv[1])"
ALLIBE = Path(sys.executable).with_name("allibe")


def refusal_of(url: str, call: Callable[[str], object] = migrate) -> str:
    """Return the one line that migrating is refused with."""
    with pytest.raises((StoreUnavailable, ValueError)) as caught:
        call(url)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_empty_database_gets_the_newest_revision_and_keeps_it(postgres_url: str) -> None:
    assert current(postgres_url) is None
    migrate(postgres_url)
    migrate(postgres_url)
    assert current(postgres_url) == REVISION


SCHEMA = """
SELECT table_name || '.' || column_name, data_type || ' ' || coalesce(collation_name, '-') || ' '
    || coalesce(character_maximum_length, 0) || ' ' || is_nullable || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""
"""Columns, constraints and indexes; alembic's own comparison does not see collations of these."""


def test_the_migrations_make_the_tables_of_the_code(url: str, postgres: PostgreSQL) -> None:
    def schema(connection: Connection) -> set[tuple[object, ...]]:
        return {tuple(row) for row in connection.execute(text(SCHEMA))}

    migrated = postgresql_exclusive.exclusively(url, schema)
    by_code = postgres.create_database("by_code")
    postgresql_exclusive.exclusively(by_code, metadata.create_all)
    of_code = postgresql_exclusive.exclusively(by_code, schema)
    postgres.drop_database("by_code")

    assert of_code < migrated
    assert {str(name).partition(".")[0] for name, _ in migrated - of_code} == {
        "alembic_version",
        "alembic_version_pkc",
    }


async def test_ids_are_sorted_byte_by_byte_whatever_the_databases_language(url: str) -> None:
    query = """
        SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND collation_name = 'C' ORDER BY 1
    """
    async with other_client(url) as other:
        found = [row[0] for row in await other.fetch(query)]
    ids = ("room_id", "user_id", "message_id", "sender", "client_message_id")
    assert {name for name in found if name.endswith(ids)} >= {
        "members.room_id",
        "members.user_id",
        "messages.client_message_id",
        "messages.message_id",
        "messages.room_id",
        "messages.sender",
        "rooms.room_id",
    }


def test_many_processes_may_migrate_at_once(postgres_url: str) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, postgres_url], stderr=subprocess.PIPE)
        for _ in range(5)
    ]
    ended = [(process.communicate(timeout=50)[1], process.returncode) for process in running]

    assert ended == [(b"", 0)] * 5
    assert current(postgres_url) == REVISION


async def test_it_may_be_called_where_an_event_loop_runs(postgres_url: str) -> None:
    migrate(postgres_url)
    async with other_client(postgres_url) as other:
        assert await other.fetchval("SELECT version_num FROM alembic_version") == REVISION


async def test_it_waits_for_another_migration(postgres_url: str) -> None:
    key = int.from_bytes(b"allibe")
    async with other_client(postgres_url) as other:
        await other.execute(f"SELECT pg_advisory_lock({key})")
        migrating = asyncio.create_task(asyncio.to_thread(migrate, postgres_url))
        await asyncio.sleep(0.5)
        assert not migrating.done()
        await other.execute(f"SELECT pg_advisory_unlock({key})")
        await migrating


async def test_a_migration_that_fails_leaves_nothing(postgres_url: str) -> None:
    async with other_client(postgres_url) as other:
        await other.execute("CREATE TABLE messages (other integer)")  # the last one to make
        line = await asyncio.to_thread(refusal_of, postgres_url)
        tables = await other.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")

    assert 'relation "messages" already exists' in line
    assert [row[0] for row in tables] == ["messages"]


async def test_a_database_that_is_newer_than_the_code_is_left_alone(url: str) -> None:
    async with other_client(url) as other:
        await other.execute("UPDATE alembic_version SET version_num = '9999'")
    line = await asyncio.to_thread(refusal_of, url)
    assert line == "the database is newer than this code: its revision is '9999'"
    assert current(url) == "9999"


def test_a_database_that_cannot_hold_every_language_is_refused(postgres: PostgreSQL) -> None:
    """Korean would be refused, message by message."""
    postgres.sql("CREATE DATABASE latin1 ENCODING 'LATIN1' TEMPLATE template0")
    assert refusal_of(postgres.url("latin1")) == "the database's encoding is LATIN1; wanted UTF8"
    postgres.drop_database("latin1")


class TestUnreachable:
    """Each in one line that says where and why, and never with the password."""

    @pytest.fixture(params=[migrate, current], ids=["migrate", "current"])
    def call(self, request: pytest.FixtureRequest) -> Callable[[str], object]:
        found: Callable[[str], object] = request.param
        return found

    def test_a_wrong_password(self, postgres_url: str, call: Callable[[str], object]) -> None:
        address = make_url(postgres_url)
        wrong = address.set(password="hunter2").render_as_string(hide_password=False)
        with capture_logs() as logs:
            line = refusal_of(wrong, call)
        place = f"{address.host}:{address.port}/{address.database}"
        assert line == f'PostgreSQL at {place}: password authentication failed for user "allibe"'
        assert "hunter2" not in str(logs)

    def test_a_database_that_is_not_there(
        self, postgres: PostgreSQL, call: Callable[[str], object]
    ) -> None:
        line = refusal_of(postgres.url("nowhere"), call)
        assert line.endswith('/nowhere: database "nowhere" does not exist')

    def test_a_server_that_is_not_there(self, call: Callable[[str], object]) -> None:
        port = reserve_port()
        line = refusal_of(f"postgresql://allibe:hunter2@127.0.0.1:{port}/allibe", call)
        release_port(port)
        assert line == f"PostgreSQL at 127.0.0.1:{port}/allibe: connection refused"

    def test_a_host_that_is_not_there(self, call: Callable[[str], object]) -> None:
        line = refusal_of("postgresql://allibe:hunter2@nowhere.invalid/allibe", call)
        assert line.startswith("PostgreSQL at nowhere.invalid:5432/allibe: ")
        assert "hunter2" not in line

    def test_a_server_that_does_not_answer(
        self,
        own_server: PostgreSQL,
        call: Callable[[str], object],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("allibe_services.store.postgresql_pool.CONNECT_SECONDS", 0.3)
        own_server.freeze()
        assert refusal_of(own_server.url(), call).endswith(": no answer")
        own_server.thaw()

    def test_an_option_that_makes_no_sense(
        self, postgres_url: str, call: Callable[[str], object]
    ) -> None:
        assert "sslmode" in refusal_of(f"{postgres_url}?sslmode=maybe", call)


class TestCommand:
    """`allibe migrate` and `allibe check`, as somebody who deploys meets them."""

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [ALLIBE, *arguments],
            env={**os.environ, **{f"ALLIBE_{name}": value for name, value in environment.items()}},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def test_the_url_may_come_from_a_file(self, postgres_url: str, tmp_path: Path) -> None:
        (tmp_path / "url").write_text(f"{postgres_url}\n")
        done = self.run("migrate", DATABASE_URL_FILE=str(tmp_path / "url"))
        assert (done.returncode, done.stderr) == (0, "")
        assert current(postgres_url) == REVISION

        shown = self.run("check", DATABASE_URL_FILE=str(tmp_path / "url"), JWT_SECRET="x" * 32)
        password = make_url(postgres_url).password
        assert isinstance(password, str)
        assert "ALLIBE_DATABASE_URL=postgresql://allibe:***@127.0.0.1:" in shown.stdout
        assert password not in shown.stdout + shown.stderr
        assert (shown.returncode, shown.stderr) == (0, "")

    def test_what_is_wrong_is_one_line(self) -> None:
        done = self.run("migrate", DATABASE_URL="postgresql://allibe:hunter2@127.0.0.1:1/allibe")
        assert (done.returncode, done.stdout) == (1, "")
        assert (
            done.stderr
            == "allibe: ALLIBE_DATABASE_URL: PostgreSQL at 127.0.0.1:1/allibe: connection refused\n"
        )
