"""`push.kept`: which decisions of a round are written."""

import pytest

from allibe_fanout_worker.push import kept as module
from allibe_fanout_worker.push.kept import Kept
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import Scheduling

ONE, TWO = RoomId("1"), RoomId("2")
LOOKS = Scheduling(UserId("alice"), PushReason.LOOKING)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_same_decision_is_written_once_a_minute() -> None:
    clock = Clock()
    kept = Kept(clock)
    assert kept.new(ONE, [LOOKS]) == [LOOKS]
    kept.keep(ONE, [LOOKS])
    clock.now = 59
    assert kept.new(ONE, [LOOKS]) == []
    clock.now = 60
    assert kept.new(ONE, [LOOKS]) == [LOOKS]


def test_another_room_user_or_reason_is_another_decision() -> None:
    kept = Kept(Clock())
    kept.keep(ONE, [LOOKS])
    others = [Scheduling(UserId("bob"), PushReason.LOOKING), Scheduling(LOOKS.user, PushReason.OWN)]
    assert kept.new(ONE, others) == others
    assert kept.new(TWO, [LOOKS]) == [LOOKS]


def test_what_is_to_be_pushed_is_always_written() -> None:
    kept = Kept(Clock())
    due = Scheduling(UserId("bob"), PushReason.SCHEDULED, now())
    kept.keep(ONE, [due])
    assert kept.new(ONE, [due]) == [due]


def test_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DECISIONS", 2)
    kept = Kept(Clock())
    for room in (ONE, TWO, RoomId("3")):
        kept.keep(room, [LOOKS])
    assert kept.new(ONE, [LOOKS]) == [LOOKS]
    assert kept.new(RoomId("3"), [LOOKS]) == []
