"""`rates.buckets`: so many at once, then so many a second, for each key; others are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_services.rates.buckets import MOST_KEYS, Buckets
from allibe_services.rates.rate import Rate

RATE = Rate(10, 4)
START = 1_000_000.0
"""A machine that has been up for long: what is added to it must not drown in it."""


def spent_at(buckets: Buckets, now: float, key: str = "alice", tries: int = 100) -> int:
    """Spend as much as possible at one moment; return how much that was."""
    for number in range(tries):
        if buckets.wait(key, now):
            return number
        buckets.spend(key, now)
    return tries


def test_a_burst_at_once_and_then_nothing() -> None:
    assert spent_at(Buckets(RATE), START) == 4


def test_who_waits_as_long_as_told_is_let_through() -> None:
    buckets = Buckets(RATE)
    spent_at(buckets, START)
    wait = buckets.wait("alice", START)
    assert wait == pytest.approx(0.2)  # two of four
    assert buckets.wait("alice", START + wait - 0.01) == pytest.approx(0.01)
    assert spent_at(buckets, START + wait) == 2


def test_once_refused_all_is_refused_until_then_so_that_order_is_kept() -> None:
    """One message in between would overtake those that were refused before it."""
    buckets = Buckets(RATE)
    spent_at(buckets, START)
    buckets.wait("alice", START)
    assert buckets.wait("alice", START + 0.15) == pytest.approx(0.05)


def test_others_do_not_notice() -> None:
    buckets = Buckets(RATE)
    spent_at(buckets, START)
    assert spent_at(buckets, START, "bob") == 4


def test_a_slow_mode_is_a_burst_of_one() -> None:
    buckets = Buckets(Rate(1 / 30, 1))
    assert spent_at(buckets, START) == 1
    assert buckets.wait("alice", START + 1) == pytest.approx(29)
    assert spent_at(buckets, START + 29.9) == 0
    assert spent_at(buckets, START + 30) == 1


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_never_more_than_the_rate_and_the_burst(pauses: list[float]) -> None:
    buckets, now, passed = Buckets(RATE), START, 0
    for pause in pauses:
        now += pause
        passed += spent_at(buckets, now, tries=3)
        assert passed <= RATE.burst + RATE.per_second * (now - START) + 1e-3


def test_steady_at_the_rate_is_never_refused() -> None:
    buckets = Buckets(RATE)
    for number in range(1_000):
        assert spent_at(buckets, START + number * RATE.interval, tries=1) == 1


def test_what_others_spent_counts_here_too() -> None:
    one, two = Buckets(RATE), Buckets(RATE)
    spent_at(one, START)
    two.spend("alice", START)
    told = one.take_spent(START + 0.1)
    assert told.keys() == {"alice"}
    assert (told["alice"].debt, told["alice"].age) == pytest.approx((0.4, 0.1))
    two.learn({"alice": 0.4}, START + 0.1)
    assert spent_at(two, START + 0.1) == 0


def test_what_was_spent_since_it_was_told_is_not_forgotten() -> None:
    buckets = Buckets(RATE)
    buckets.spend("alice", START)
    buckets.take_spent(START)
    buckets.spend("alice", START)
    buckets.spend("alice", START)
    buckets.learn({"alice": 0.2}, START)  # another one has spent one, too
    assert spent_at(buckets, START) == 0


def test_others_that_have_forgotten_loosen_nothing() -> None:
    buckets = Buckets(RATE)
    spent_at(buckets, START)
    buckets.take_spent(START)
    buckets.learn({"alice": 0.0}, START)
    assert spent_at(buckets, START) == 0


def test_what_is_told_is_told_once() -> None:
    buckets = Buckets(RATE)
    buckets.spend("alice", START)
    assert buckets.take_spent(START)
    assert buckets.take_spent(START) == {}


def test_keys_that_are_full_again_are_forgotten() -> None:
    buckets = Buckets(RATE)
    for number in range(20_000):
        spent_at(buckets, START + number * 0.01, f"user-{number}", tries=2)
    assert len(buckets) < 3_000


def test_invented_keys_have_a_bound() -> None:
    """I7, whatever is sent."""
    buckets = Buckets(Rate(0.001, 1))
    for number in range(MOST_KEYS + 5_000):
        buckets.spend(f"user-{number}", START)
    assert len(buckets) <= MOST_KEYS
    assert len(buckets.take_spent(START)) <= MOST_KEYS
    assert spent_at(buckets, START, f"user-{MOST_KEYS + 4_999}") == 0
