"""`allibe dead-letters`: look at what nobody could process, put it in again, or forget it.

Exit codes: 0 done, 1 not all of it, 2 not understood.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click
import msgspec

from allibe_services import backends
from allibe_services.bus.dead_letters import MOST_LETTERS, DeadLetter, DeadLetters
from allibe_services.logs import configure_logging
from allibe_services.settings import Settings
from allibe_standalone.exits import fail, or_exit, settings_or_exit

SHOWN_ROOMS = 3
"""Rooms of a dead letter in the table; `--json` has all."""

_HEADING: tuple[str, ...] = (
    *("#", "ID", "SHARD", "ROOMS", "MESSAGES", "REASON", "FIRST DIED", "BYTES"),
)

_Result = TypeVar("_Result")
_Act = Callable[[DeadLetters, DeadLetter], Awaitable[bool]]

_limit = click.option(
    "--limit",
    type=click.IntRange(1, MOST_LETTERS),
    default=100,
    show_default=True,
    help="Most dead letters at once, the oldest.",
)
_everything = click.option(
    "--all", "everything", is_flag=True, help="All of them, up to the limit."
)
_ids = click.argument("ids", nargs=-1, metavar="[ID]...")


@click.group("dead-letters")
def dead_letters() -> None:
    """Messages with a receipt that no worker could store, in RabbitMQ's queue chat.dead.

    One operator at a time; workers may run. Push notifications that were given up are another
    thing: see GET /api/chat/admin/dead-pushes.
    """


@dead_letters.command("list")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array, for programs.")
@_limit
def list_them(as_json: bool, limit: int) -> None:
    """Show the oldest: where they were sent, and why they are here; never what they say."""
    waiting, letters = _run(lambda settings: _looked_at(settings, limit))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(letters)))
    elif letters:
        click.echo(table(letters))
    else:
        click.echo("There are no dead letters.")
    if waiting > len(letters):
        click.echo(f"The oldest {len(letters)} of {waiting}: see --limit.", err=True)


@dead_letters.command()
@_ids
@_everything
@_limit
def replay(ids: tuple[str, ...], everything: bool, limit: int) -> None:
    """Put messages into their rooms' queues again, and forget their dead letters after that.

    What was stored already is not stored twice. What is stored now gets the next offsets: it is
    shown behind all that came meanwhile.
    """
    _act(_Choice(ids, everything, limit), lambda held, letter: held.replay(letter), "Replayed")


@dead_letters.command()
@_ids
@_everything
@_limit
@click.option("--yes", is_flag=True, help="I know that these messages are lost then.")
def drop(ids: tuple[str, ...], everything: bool, limit: int, yes: bool) -> None:
    """Forget dead letters: their messages are lost, though their senders have a receipt."""
    choice = _Choice(ids, everything, limit)
    if not yes:
        raise click.UsageError("What is dropped is lost; say --yes.")
    _act(choice, _drop, "Dropped")


@dataclass(frozen=True)
class _Choice:
    """Which dead letters are meant: those with an id, or the oldest, up to the limit."""

    ids: tuple[str, ...]
    everything: bool
    limit: int

    def __post_init__(self) -> None:
        if bool(self.ids) == self.everything:
            raise click.UsageError("Which? Either ids, as `list` shows them, or --all.")

    def among(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Return those meant, the oldest first."""
        if self.everything:
            return list(letters)[: self.limit]
        return [one for one in letters if one.id in self.ids]


@dataclass
class _Tally:
    """What has been done, also where it then went wrong."""

    letters: int = 0
    commands: int = 0
    refused: int = 0
    missing: tuple[str, ...] = ()
    waiting: int | None = None
    """None: nobody has got that far."""

    def say(self, done: str) -> None:
        """Print a line of it."""
        if self.waiting is not None:
            click.echo(
                f"{done} {counted(self.letters, 'dead letter')} with"
                f" {counted(self.commands, 'message')}; {self.waiting - self.letters} left."
            )


def _act(choice: _Choice, act: _Act, done: str) -> None:
    tally = _Tally()
    try:
        _run(lambda settings: _done(settings, choice, act, tally))
    finally:
        tally.say(done)
    if tally.refused:
        fail(f"{counted(tally.refused, 'dead letter')}: the queue of its shard is full, or gone")
    if tally.missing:
        fail(f"no dead letter {', '.join(tally.missing)}")


async def _done(settings: Settings, choice: _Choice, act: _Act, tally: _Tally) -> None:
    async with backends.dead_letters(settings) as held:
        tally.waiting = held.waiting
        known = {letter.id for letter in held.letters}
        tally.missing = tuple(one for one in choice.ids if one not in known)
        for letter in choice.among(held.letters):
            if await act(held, letter):
                tally.letters += 1
                tally.commands += letter.commands
            else:
                tally.refused += 1


async def _drop(held: DeadLetters, letter: DeadLetter) -> bool:
    await held.drop(letter)
    return True


async def _looked_at(settings: Settings, limit: int) -> tuple[int, Sequence[DeadLetter]]:
    async with backends.dead_letters(settings) as held:
        return held.waiting, held.letters[:limit]


def _run(work: Callable[[Settings], Coroutine[Any, Any, _Result]]) -> _Result:
    settings = settings_or_exit()
    as_json = settings.log_format == "json"
    or_exit(lambda: configure_logging(settings.log_level, as_json=as_json))
    return or_exit(lambda: asyncio.run(work(settings)))


def table(letters: Sequence[DeadLetter]) -> str:
    """Return lines for a terminal, one for each, under a heading."""
    rows = [_HEADING, *map(_row, letters)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(letter: DeadLetter) -> tuple[str, ...]:
    rooms = " ".join(letter.room_ids[:SHOWN_ROOMS])
    more = len(letter.room_ids) - SHOWN_ROOMS
    died = letter.first_died_at
    return (
        str(letter.position),
        letter.id,
        "?" if letter.shard is None else str(letter.shard),
        f"{rooms} +{more}" if more > 0 else rooms or "?",
        str(letter.commands or "?"),
        letter.reason,
        f"{died:%Y-%m-%dT%H:%M:%SZ}" if died else "?",
        str(letter.size),
    )


def counted(count: int, what: str) -> str:
    """Return the number with the word, which has an s unless it is one."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
