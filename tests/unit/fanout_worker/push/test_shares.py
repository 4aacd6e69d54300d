"""`push.shares`: how many users at a time, and what becomes of the others."""

from collections import Counter

import pytest

from allibe_fanout_worker.push import shares
from allibe_fanout_worker.push.shares import (
    HANGS_AFTER,
    LONGEST_SECONDS,
    PAUSE_SECONDS,
    PLACES,
    SERVICES,
    SPACING_SECONDS,
    TOGETHER_SECONDS,
    Share,
    Shares,
)


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def share(clock: Clock) -> Share:
    return Share("https://push.test", clock)


def taken(share: Share) -> int:
    """Take all places there are; return how many."""
    places = 0
    while share.take() is None:
        places += 1
    return places


def time_out(share: Share, times: int) -> None:
    for _ in range(times):
        assert share.take() is None
        share.give_back(answered=False)


def test_it_has_so_many_places_and_what_is_given_back_is_free_again(share: Share) -> None:
    assert taken(share) == PLACES
    share.give_back(answered=True)
    assert taken(share) == 1


def test_who_finds_none_comes_again_a_few_in_each_second(share: Share, clock: Clock) -> None:
    taken(share)
    pauses = [share.take() or 0.0 for _ in range(500)]
    assert min(pauses) >= PAUSE_SECONDS
    assert pauses == sorted(pauses)
    together = Counter((clock.seconds + pause) / TOGETHER_SECONDS for pause in pauses)
    assert all(moment.is_integer() for moment in together)
    assert max(together.values()) <= TOGETHER_SECONDS / SPACING_SECONDS + 1
    clock.seconds += 3600
    assert share.take() == PAUSE_SECONDS


def test_nobody_is_put_off_for_longer_than_is_said(share: Share) -> None:
    taken(share)
    longest = max(share.take() or 0.0 for _ in range(20_000))
    assert LONGEST_SECONDS <= longest <= LONGEST_SECONDS + TOGETHER_SECONDS


def test_what_only_times_out_has_one_place_until_it_answers(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(shares, "log", Log(told))
    time_out(share, HANGS_AFTER - 1)
    assert taken(share) == PLACES
    for _ in range(PLACES):
        share.give_back(answered=False)
    assert taken(share) == 1
    share.give_back(answered=None)  # cut off: it says nothing
    assert taken(share) == 1
    share.give_back(answered=False)
    assert taken(share) == 1
    share.give_back(answered=True)
    assert taken(share) == PLACES
    assert told == ["push_service_hangs", "push_service_answers"]


def test_time_outs_now_and_then_take_no_place(share: Share) -> None:
    for _ in range(HANGS_AFTER):
        time_out(share, HANGS_AFTER - 1)
        assert share.take() is None
        share.give_back(answered=True)
    assert taken(share) == PLACES


def test_services_do_not_share_and_few_are_remembered(clock: Clock) -> None:
    all_of_them = Shares(clock)
    slow = all_of_them.of("slow")
    taken(slow)
    for number in range(2 * SERVICES):
        assert taken(all_of_them.of(f"https://{number}.test")) == PLACES
        assert len(all_of_them) <= SERVICES


def test_what_is_slow_is_remembered_while_others_come_and_go(clock: Clock) -> None:
    all_of_them = Shares(clock)
    slow = all_of_them.of("slow")
    taken(slow)
    for number in range(2 * SERVICES):
        all_of_them.of(f"https://{number}.test")
    assert all_of_them.of("slow") is slow


class Log:
    def __init__(self, told: list[str]) -> None:
        self._told = told

    def warning(self, event: str, *, service: str) -> None:
        assert service == "https://push.test"
        self._told.append(event)

    info = warning
