"""`allibe prune`: what it deletes, what it says, and what it refuses."""

from asyncio import run
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from allibe_standalone.cli import cli
from tests.support.commands import post

DAY = timedelta(days=1)


@pytest.fixture
def url(url: str) -> str:
    """Rooms 1 and 2, with three messages that are 100 days old and two of today in each."""
    run(_fill(url))
    return url


async def _fill(url: str) -> None:
    store = SqlStore(SqliteDatabase(url))
    for room in ("1", "2"):
        await store.rooms.create("room", UserId("alice"), room_id=RoomId(room))
        ages = (100 * DAY, 100 * DAY, 100 * DAY, timedelta(), timedelta())
        await store.log.append([post(room=room, at=now() - age) for age in ages])
    await store.close()


async def _offsets(url: str) -> list[list[int]]:
    store = SqlStore(SqliteDatabase(url))
    logs = [await store.log.after(RoomId(room), 0, most=9) for room in ("1", "2")]
    await store.close()
    return [[message.offset for message in log] for log in logs]


def prune(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["prune", *arguments], env={"ALLIBE_DATABASE_URL": url})


def test_old_messages_of_all_rooms_go(url: str) -> None:
    done = prune(url, "--older-than", "90d")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Deleted 6 messages of 2 rooms, sent before 20")
    assert run(_offsets(url)) == [[4, 5], [4, 5]]
    assert "Deleted 0 messages of 0 rooms" in prune(url, "--older-than", "90d").output


def test_a_dry_run_only_counts(url: str) -> None:
    done = prune(url, "--older-than", "2400h", "--dry-run", "--keep-last", "3")
    assert done.output.startswith("Would delete 4 messages of 2 rooms, sent before 20")
    assert run(_offsets(url)) == [[1, 2, 3, 4, 5]] * 2


def test_one_room_and_its_last_messages_may_be_named(url: str) -> None:
    done = prune(url, "--older-than", "90d", "--room", "2", "--keep-last", "4")
    assert done.output.startswith("Deleted 1 message of 1 room, ")
    assert run(_offsets(url)) == [[1, 2, 3, 4, 5], [2, 3, 4, 5]]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--older-than", "90"), "allibe: --older-than: wanted an age as 90d or 36h\n"),
        (("--older-than", "23h"), "allibe: --older-than: what is younger than a day is kept\n"),
        (("--older-than", "90d", "--room", "3"), "allibe: There is no such room.\n"),
        (("--older-than", "90d", "--room", "a.b"), "allibe: A room id is 1 to 64 of "),
    ],
)
def test_what_it_does_not_do_is_one_line(url: str, arguments: tuple[str, ...], line: str) -> None:
    done = prune(url, *arguments)
    assert done.exit_code == 1
    assert done.output.startswith(line)
    assert run(_offsets(url)) == [[1, 2, 3, 4, 5]] * 2


def test_a_database_without_tables_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.touch()
    done = prune(f"sqlite:///{path}", "--older-than", "90d")
    assert done.exit_code == 1
    assert "run `allibe migrate`" in done.output
