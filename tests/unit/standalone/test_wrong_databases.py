"""Commands that are led to what is no database of theirs: one line that names setting and file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from allibe_services.store.migrate import migrate
from allibe_standalone.cli import cli

COMMANDS = {
    "migrate": ("migrate",),
    "check": ("check",),
    "prune": ("prune", "--older-than", "90d"),
    "new-epoch": ("new-epoch",),
    "forget-user": ("forget-user", "bob", "--yes"),
}
SECRET = "0123456789abcdef0123456789abcdef"

all_commands = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


def call(path: Path, command: str) -> Result:
    environment = {"ALLIBE_DATABASE_URL": f"sqlite:///{path}", "ALLIBE_JWT_SECRET": SECRET}
    return CliRunner().invoke(cli, COMMANDS[command], env=environment)


def refusal(path: Path, command: str) -> str:
    """Return the one line on standard error; nothing but `check`'s settings is on the other."""
    with capture_logs() as logs:
        done = call(path, command)
    assert (done.exit_code, logs) == (1, []), done.output
    assert command == "check" or done.stdout == ""
    [line] = done.stderr.splitlines()
    return line.removeprefix("allibe: ").removeprefix("problem: ")


@all_commands
def test_a_file_of_another_kind(path: Path, command: str) -> None:
    path.write_bytes(b"no database, but long enough to be one" * 200)
    wanted = f"ALLIBE_DATABASE_URL: {path}: it is not a SQLite database"
    assert refusal(path, command) == wanted


@all_commands
def test_a_folder(path: Path, command: str) -> None:
    path.mkdir()
    assert refusal(path, command) == f"ALLIBE_DATABASE_URL: {path}: it cannot be opened"


@all_commands
def test_a_database_of_another_program_is_left_alone(path: Path, command: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoices (id INTEGER)")
    assert refusal(path, command).startswith("ALLIBE_DATABASE_URL: the database is another program")
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("invoices",)]


@all_commands
def test_a_database_that_is_newer_than_the_code(path: Path, command: str) -> None:
    migrate(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert refusal(path, command) == (
        "ALLIBE_DATABASE_URL: the database is newer than this code: its revision is '9999'"
    )


@pytest.mark.parametrize("command", ["prune", "new-epoch", "forget-user"])
def test_a_path_at_which_there_is_nothing(path: Path, command: str) -> None:
    """`allibe migrate` would make an empty one there: nobody is told to."""
    assert refusal(path, command) == f"ALLIBE_DATABASE_URL: there is no database at {path}"
    assert not path.exists()


def test_check_notes_that_there_is_nothing_yet(path: Path) -> None:
    """`allibe serve` would make it: no problem, unless the path is mistyped."""
    done = call(path, "check")
    assert done.exit_code == 0
    assert done.stderr.startswith(f"note: ALLIBE_DATABASE_URL: there is no database at {path}; ")
    assert not path.exists()


@pytest.mark.parametrize("command", ["migrate", "prune", "new-epoch", "forget-user"])
def test_logs_are_what_the_settings_say(
    path: Path, command: str, logs_asked_for: list[str]
) -> None:
    """Else structlog's own: for people, and on standard output."""
    path.mkdir()
    call(path, command)
    assert logs_asked_for == ["info"]
