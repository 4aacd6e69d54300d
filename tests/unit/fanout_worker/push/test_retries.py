"""`push.retries`: again, when, and when no more."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_fanout_worker.push.base import Delivered, Failed, Gone, Outcome, RetryAfter
from allibe_fanout_worker.push.retries import (
    Again,
    Dead,
    RetryPolicy,
    next_try,
    retry_after_seconds,
)
from allibe_services.contracts.push import PushReason

POLICY = RetryPolicy(tries=5, first=2.0, longest=10.0)
RETRY = Failed(retryable=True, reason=PushReason.TIMED_OUT)
NOW = 1000.0
FAR = 1e9


def _next(
    outcome: Outcome, tried: int = 1, *, random: float = 0.0, expires_at: float = FAR
) -> Again | Dead | None:
    return next_try(
        outcome,
        policy=POLICY,
        tried=tried,
        now=NOW,
        expires_at=expires_at,
        random=lambda: random,
    )


@pytest.mark.parametrize("outcome", [Delivered(), Gone()])
def test_what_has_ended_is_not_repeated(outcome: Outcome) -> None:
    assert _next(outcome) is None


def test_what_will_never_be_taken_is_dead_at_once() -> None:
    outcome = Failed(retryable=False, reason=PushReason.URL_REFUSED)
    assert _next(outcome) == Dead(PushReason.URL_REFUSED, PushReason.URL_REFUSED)


def test_pauses_double_up_to_the_longest() -> None:
    """Half of it is certain, half is chance."""
    for tried, pause in enumerate((2.0, 4.0, 8.0, 10.0), start=1):
        assert _next(RETRY, tried, random=0.0) == Again(NOW + pause / 2)
        assert _next(RETRY, tried, random=0.5) == Again(NOW + pause * 0.75)


def test_after_the_last_try_it_is_dead() -> None:
    assert isinstance(_next(RETRY, POLICY.tries - 1), Again)
    for tried in (POLICY.tries, POLICY.tries + 1):
        assert _next(RETRY, tried) == Dead(PushReason.GAVE_UP, PushReason.TIMED_OUT)
    throttled = RetryAfter(1.0, PushReason.THROTTLED)
    assert _next(throttled, POLICY.tries) == Dead(PushReason.GAVE_UP, PushReason.THROTTLED)


def test_what_would_come_too_late_is_dead() -> None:
    assert _next(RETRY, expires_at=NOW + 1.001) == Again(NOW + 1.0)
    assert _next(RETRY, expires_at=NOW + 1.0) == Dead(PushReason.EXPIRED, PushReason.TIMED_OUT)
    for seconds in (3601.0, math.inf):
        found = _next(RetryAfter(seconds, PushReason.THROTTLED), expires_at=NOW + 3600)
        assert found == Dead(PushReason.EXPIRED, PushReason.THROTTLED)


def test_what_retry_after_asks_for_is_waited_in_full() -> None:
    assert _next(RetryAfter(60.0, PushReason.THROTTLED)) == Again(NOW + 60)
    assert _next(RetryAfter(60.0, PushReason.THROTTLED), random=0.5) == Again(NOW + 63)


def test_who_asks_for_no_pause_gets_one() -> None:
    assert _next(RetryAfter(0.0, PushReason.THROTTLED), 2) == Again(NOW + 2)


@given(
    tried=st.integers(1, 10**6),
    random=st.floats(0, 1, exclude_max=True),
    seconds=st.floats(0, 1e12) | st.just(math.inf),
    lasting=st.floats(0, 1e9),
)
def test_a_next_try_is_never_early_never_late(
    tried: int, random: float, seconds: float, lasting: float
) -> None:
    for outcome in (RETRY, RetryAfter(seconds, PushReason.THROTTLED)):
        found = next_try(
            outcome,
            policy=RetryPolicy(tries=10**7),
            tried=tried,
            now=NOW,
            expires_at=NOW + lasting,
            random=lambda: random,
        )
        if isinstance(found, Again):
            assert NOW < found.at < NOW + lasting
            assert isinstance(outcome, Failed) or found.at >= NOW + seconds
        else:
            assert isinstance(found, Dead)
            assert found.reason is PushReason.EXPIRED


class TestRetryAfter:
    """RFC 9110 §10.2.3."""

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("0", 0.0),
            ("120", 120.0),
            (" 7 ", 7.0),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 59.0),
            ("Friday, 31-Dec-99 23:59:59 GMT", 59.0),
            ("Fri, 31 Dec 1999 23:58:59 GMT", 0.0),
            ("9" * 1000, math.inf),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Fri, 99 Dec 1999 23:59:59 GMT", None),
            ("١٢", None),
            ("Fri, 31 Dec 1999 23:59:59 +99999999999999", None),
        ],
    )
    def test_seconds_and_dates_are_read(self, text: str, seconds: float | None) -> None:
        assert retry_after_seconds(text, now=946684740.0) == seconds

    @given(st.text() | st.text(alphabet="Fri, 31 Dec 1999 23:59:59 GMT+-0"))
    def test_any_text_is_a_time_to_wait_or_nothing(self, text: str) -> None:
        found = retry_after_seconds(text, now=NOW)
        assert found is None or found >= 0
