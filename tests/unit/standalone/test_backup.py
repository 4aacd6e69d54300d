"""`allibe backup`: a whole copy, for its owner alone, or one line and no file."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from stat import S_IMODE

import pytest
from click.testing import CliRunner, Result

from allibe_services.store.migrate import migrate
from allibe_standalone.cli import cli


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Tables without rows, in a file whose name has to be quoted in a URI."""
    path = tmp_path / "data" / "a#b.db"
    migrate(f"sqlite:///{path}")
    return path


def back_up(url: str | Path, file: Path) -> Result:
    url = url if isinstance(url, str) else f"sqlite:///{url}"
    arguments = ["backup", str(file)]
    return CliRunner().invoke(cli, arguments, env={"ALLIBE_DATABASE_URL": url})


def refused(done: Result, *words: str) -> bool:
    [line] = done.output.splitlines()
    return done.exit_code == 1 and all(word in line for word in ("allibe: ", *words))


def test_what_is_committed_is_in_a_copy_that_its_owner_alone_reads(
    database: Path, tmp_path: Path
) -> None:
    """Also while another has the database open, and what was written is in its WAL only."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("CREATE TABLE of_the_test (word)")
        writer.execute("INSERT INTO of_the_test VALUES ('written')")
        writer.commit()
        before = os.umask(0)
        try:
            done = back_up(database, copy)
        finally:
            os.umask(before)
    assert (done.exit_code, done.output) == (0, f"The database is in {copy}.\n")
    assert S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as reader:
        assert reader.execute("SELECT word FROM of_the_test").fetchall() == [("written",)]
    assert set(tmp_path.iterdir()) == {copy, database.parent}


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """The URL has a typing error: an empty backup would be found out on the day it is needed."""
    done = back_up(tmp_path / "mistyped.db", tmp_path / "copy.db")
    assert refused(done, "there is no database", "mistyped.db")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_left_as_it_is(database: Path, tmp_path: Path) -> None:
    """It is last night's backup."""
    copy = tmp_path / "copy.db"
    copy.write_text("last night's")
    assert refused(back_up(database, copy), str(copy), "is there already")
    assert copy.read_text() == "last night's"


@pytest.mark.parametrize("content", [b"", b"no database, but long enough to be looked at" * 99])
def test_what_is_no_database_of_ours_has_no_backup(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(content)
    assert refused(back_up(other, tmp_path / "copy.db"), "no backup of", "other.db")
    assert list(tmp_path.iterdir()) == [other]


def test_a_folder_that_is_not_there_is_named(database: Path, tmp_path: Path) -> None:
    assert refused(back_up(database, tmp_path / "nowhere" / "copy.db"), "nowhere")


def test_postgresql_has_its_own_command(tmp_path: Path) -> None:
    done = back_up("postgresql://allibe@127.0.0.1/allibe", tmp_path / "copy.db")
    assert refused(done, "ALLIBE_DATABASE_URL", "pg_dump")
