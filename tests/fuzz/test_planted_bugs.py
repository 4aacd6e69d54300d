"""Bugs planted into the product: programs that Hypothesis makes up must find each.

What they do not find here they would not find in the product either.
"""

import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import uvloop
from hypothesis import Phase, find, settings

from allibe_gateway.fanout.entries import entry_of
from allibe_gateway.fanout.room_feed import RoomFeed
from allibe_gateway.fanout.tail import Tail
from allibe_gateway.memberships import Memberships
from allibe_services.bus.line import Line, Waiting
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.messages import Message
from allibe_services.store import migrate
from allibe_services.store.batch import Batch
from tests.fuzz import programs as gateway_programs
from tests.fuzz.programs import Step, programs, run
from tests.integration import gateway

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

PROGRAMS = 400
"""Most that are tried for one bug; the first dozens do."""

Patch = pytest.MonkeyPatch


def _no_deduplication(patch: Patch) -> None:
    """Nobody asks whether a clientMessageId was stored before."""

    def migrated(url: str) -> None:
        migrate.migrate(url)
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            database.execute("DROP INDEX uq_messages_room_id_sender_client_message_id")
        database.close()

    def find_by_id(self: Batch, command: PostMessage) -> Message | None:
        return self._by_id.get(command.message_id)

    patch.setattr(gateway, "migrate", migrated)
    patch.setattr(Batch, "_find", find_by_id)


def _no_replay(patch: Patch) -> None:
    """Who comes back is told that all is there, and given nothing of it."""

    async def recovered(*_: Any) -> bool:
        return True

    patch.setattr(RoomFeed, "_recover", recovered)


def _replay_twice(patch: Patch) -> None:
    """Who comes back is given its last message again."""
    recover = RoomFeed._recover

    async def from_one_before(self: RoomFeed, view: Any, outbox: Any, since: Any) -> bool:
        offset = max(0, since.offset - 1)
        return await recover(self, view, outbox, type(since)(since.room_id, since.epoch, offset))

    patch.setattr(RoomFeed, "_recover", from_one_before)


def _removed_read_on(patch: Patch) -> None:
    """A removal ends no subscription."""
    from allibe_gateway.session import Session

    def only_told(self: Session, event: Any) -> None:
        self._owner.on_event(event)

    patch.setattr(Session, "on_user_event", only_told)


def _removed_write_on(patch: Patch) -> None:
    """A removal is not noticed where members post."""
    patch.setattr(Memberships, "forget", lambda *_: None)


def _backwards(patch: Patch) -> None:
    """What waits is stored last in, first out."""
    head = Line._head

    def reversed_head(self: Line, most: int) -> list[Waiting]:
        return head(self, most)[::-1]

    patch.setattr(Line, "_head", reversed_head)


def _given_twice(patch: Patch) -> None:
    """A live message is handed out twice now and then."""
    hand_out = RoomFeed._hand_out

    def stuttering(self: RoomFeed, tail: Tail, message: Message) -> None:
        hand_out(self, tail, message)
        if message.offset % 5 == 0:
            self.entries.push(entry_of(message))

    patch.setattr(RoomFeed, "_hand_out", stuttering)


@dataclass(frozen=True)
class Bug:
    """A bug, and how the checks are to put it."""

    plant: Callable[[Patch], None]
    found: str

    def __str__(self) -> str:
        return self.plant.__name__.strip("_")


BUGS = [
    Bug(_no_deduplication, "I1: stored twice"),
    Bug(_no_replay, "I5: "),
    Bug(_replay_twice, "I5: "),
    Bug(_removed_read_on, "I6: "),
    Bug(_removed_write_on, "I6: a non-member posted"),
    Bug(_backwards, "I4: "),
    Bug(_given_twice, "I3: "),
]


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_it_is_found(bug: Bug, monkeypatch: Patch) -> None:
    bug.plant(monkeypatch)
    monkeypatch.setattr(gateway_programs, "SETTLE_SECONDS", 2.0)  # some bugs are waited out
    tried = 0

    def shows(program: list[Step]) -> bool:
        nonlocal tried
        tried += 1
        with tempfile.TemporaryDirectory() as folder:
            violations = uvloop.run(run(program, Path(folder)))
        return any(one.startswith(bug.found) for one in violations)

    search = settings(max_examples=PROGRAMS, deadline=None, phases=[Phase.generate], database=None)
    program = find(programs, shows, settings=search, random=Random(0))
    print(f"{bug}: found by program {tried}, of {len(program)} steps")
