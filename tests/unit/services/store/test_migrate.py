"""`store.migrate` on SQLite, and that the migrations make what `store.tables` says."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store import sqlite
from allibe_services.store.migrate import configuration, current, migrate
from allibe_services.store.tables import REVISION, metadata


def schema(path: Path) -> dict[str, str]:
    """Return every statement that made the database, without its white space."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: bare(sql) for name, sql in rows}


def bare(sql: str) -> str:
    return "".join(sql.split())


def test_an_empty_database_gets_the_newest_revision_and_keeps_it(url: str, path: Path) -> None:
    assert current(url) is None
    assert not path.exists()

    migrate(url)
    made = schema(path)
    migrate(url)

    assert current(url) == REVISION
    assert schema(path) == made


def test_what_is_stored_survives_another_migration(url: str, path: Path) -> None:
    migrate(url)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO rooms VALUES ('1','n','e',1,'alice',0,NULL,NULL,NULL,0)")
    migrate(url)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT room_id FROM rooms").fetchall() == [("1",)]


def test_nobody_is_pushed_what_was_said_before_there_were_pushes(url: str, path: Path) -> None:
    scripts = reversed(list(ScriptDirectory.from_config(configuration()).walk_revisions()))
    with (
        sqlite.exclusive(url) as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        for script in scripts:
            if script.revision == "0003":
                connection.execute(
                    text("INSERT INTO rooms VALUES ('1','n','e',1,'alice',7,'hello',2,'alice')")
                )
            script.module.upgrade()

    with closing(sqlite3.connect(path)) as made:
        rows = made.execute("SELECT * FROM push_progress").fetchall()
    assert rows == [("1", 7, 7, "")]


def test_the_code_expects_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [REVISION]


def test_the_migrations_make_the_tables_of_the_code(url: str, path: Path, tmp_path: Path) -> None:
    migrate(url)
    of_postgresql = "uq_messages_message_id_room_id"
    opts = {"include_object": lambda _object, name, *_: name != of_postgresql}
    with sqlite.exclusive(url) as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=opts), metadata) == []

    by_code = tmp_path / "code.db"
    with sqlite.exclusive(f"sqlite:///{by_code}") as connection:
        metadata.create_all(connection)
    assert schema(path) == schema(by_code) | {"alembic_version": schema(path)["alembic_version"]}


def test_several_processes_may_migrate_at_once(url: str, path: Path) -> None:
    code = "import sys; from allibe_services.store.migrate import migrate; migrate(sys.argv[1])"
    running = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(3)]

    assert [process.wait(30) for process in running] == [0, 0, 0]
    assert current(url) == REVISION


def test_a_migration_that_fails_leaves_nothing(url: str, path: Path) -> None:
    with sqlite.exclusive(url) as connection:
        connection.execute(text("CREATE VIEW messages AS SELECT 1"))  # the last one to make

    with pytest.raises(StoreUnavailable):
        migrate(url)

    assert set(schema(path)) == {"messages"}


@pytest.mark.parametrize("url", ["sqlite://", "mysql://localhost/allibe", "nonsense", ""])
def test_urls_without_a_store_are_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"SQLite|no store on mysql|not a database URL"):
        migrate(url)
