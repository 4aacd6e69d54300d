"""`allibe dead-letters`: what is printed, and how it ends when not all goes well."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from allibe_services import backends
from allibe_services.bus.dead_letters import DeadLetter
from allibe_services.contracts.errors import BusUnavailable
from allibe_services.contracts.ids import RoomId
from allibe_standalone import dead_letters
from allibe_standalone.cli import cli

DIED = datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)


def letter(position: int, **values: Any) -> DeadLetter:
    """Return a dead letter with the id `a1`, `a2` …"""
    made = DeadLetter(
        id=f"a{position}",
        position=position,
        shard=3,
        room_ids=[RoomId("1")],
        commands=2,
        reason="delivery_limit",
        detail=None,
        deaths=1,
        first_died_at=DIED,
        size=300,
    )
    return msgspec.structs.replace(made, **values)


class Held:
    """`DeadLetters` in memory."""

    def __init__(self, letters: Sequence[DeadLetter], waiting: int | None = None) -> None:
        self.letters = letters
        self.waiting = len(letters) if waiting is None else waiting
        self.done: list[str] = []
        self.takes = 100
        self.lives = 100

    async def replay(self, letter: DeadLetter) -> bool:
        if len(self.done) == self.lives:
            raise BusUnavailable
        if len(self.done) == self.takes:
            return False
        self.done.append(letter.id)
        return True

    async def drop(self, letter: DeadLetter) -> None:
        self.done.append(letter.id)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held([letter(number) for number in range(1, 6)], waiting=8)

    @asynccontextmanager
    async def hold(_: object) -> AsyncIterator[Held]:
        yield held

    monkeypatch.setattr(backends, "dead_letters", hold)
    monkeypatch.setattr(dead_letters, "configure_logging", lambda *_, **__: None)
    return held


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["dead-letters", *arguments])


def test_the_table_says_where_and_why() -> None:
    rooms = [RoomId(one) for one in "abcde"]
    several = letter(
        2, room_ids=rooms, shard=None, first_died_at=None, commands=0, reason="undecodable"
    )
    assert dead_letters.table([letter(1), several]) == (
        "#  ID  SHARD  ROOMS     MESSAGES  REASON          FIRST DIED            BYTES\n"
        "1  a1  3      1         2         delivery_limit  2026-11-30T01:02:03Z  300\n"
        "2  a2  ?      a b c +2  ?         undecodable     ?                     300"
    )


def test_it_says_when_there_are_more(held: Held) -> None:
    done = run("list", "--limit", "2")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 3
    assert done.stderr == "The oldest 2 of 8: see --limit.\n"
    assert held.done == []


def test_the_oldest_come_first_and_no_more_than_the_limit(held: Held) -> None:
    done = run("replay", "--all", "--limit", "3")
    assert held.done == ["a1", "a2", "a3"]
    assert done.output == "Replayed 3 dead letters with 6 messages; 5 left.\n"


def test_what_is_named_is_replayed_though_one_is_unknown(held: Held) -> None:
    done = run("replay", "a4", "b1", "a2")
    assert done.exit_code == 1
    assert held.done == ["a2", "a4"]
    assert done.stderr == "allibe: no dead letter b1\n"


def test_what_is_named_has_no_limit(held: Held) -> None:
    """Or some of it would be left, and the exit code be 0."""
    done = run("replay", "a4", "a2", "--limit", "1")
    assert held.done == ["a2", "a4"]
    assert done.exit_code == 0


def test_what_a_shard_does_not_take_is_counted(held: Held) -> None:
    held.takes = 1
    done = run("replay", "--all")
    assert done.exit_code == 1
    assert done.stdout == "Replayed 1 dead letter with 2 messages; 7 left.\n"
    assert done.stderr == "allibe: 4 dead letters: the queue of its shard is full, or gone\n"


def test_it_says_how_far_it_came(held: Held) -> None:
    held.lives = 2
    done = run("replay", "--all")
    assert done.exit_code == 1
    assert done.stdout == "Replayed 2 dead letters with 4 messages; 6 left.\n"
    assert done.stderr.startswith("allibe: The message bus is unavailable")


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay",),
        ("replay", "a1", "--all"),
        ("replay", "--all", "--limit", "1001"),
        ("drop", "--all"),
        ("drop", "a1"),
        ("drop", "--yes"),
    ],
)
def test_what_is_not_clear_is_not_done(held: Held, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
    assert held.done == []


def test_the_embedded_bus_has_none() -> None:
    done = run("list")
    assert done.exit_code == 1
    assert done.stderr == (
        "allibe: ALLIBE_BUS_URL: the in-process bus has no dead letters;"
        " it tells the sender instead\n"
    )
