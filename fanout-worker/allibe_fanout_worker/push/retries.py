"""What to do after a try. Pure: the caller has the clock, the dice and the queue."""

import math
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

from allibe_fanout_worker.push.base import Failed, Outcome, RetryAfter
from allibe_services.contracts.push import PushReason


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Pauses in seconds: `first`, then twice as long each time up to `longest`; `tries` in all.

    With the defaults the last of 8 tries comes 2 to 4 minutes after the first.
    """

    tries: int = 8
    first: float = 2.0
    longest: float = 300.0


class Again(msgspec.Struct, frozen=True):
    """Try again at that time, in seconds of the caller's clock."""

    at: float


class Dead(msgspec.Struct, frozen=True):
    """No more tries. `last` is what the last one ended in."""

    reason: PushReason
    last: PushReason


def next_try(
    outcome: Outcome,
    *,
    policy: RetryPolicy,
    tried: int,
    now: float,
    expires_at: float,
    random: Callable[[], float],
) -> Again | Dead | None:
    """Return when to try again after `tried` tries (1 after the first), or that it is over.

    None: there is nothing to repeat, it was delivered or the subscription is gone. `random` gives
    0 to 1, exclusive: each pause is half to all of its length, so that those who failed together
    do not come back together. What Retry-After asks for is waited in full, and up to a tenth more
    (RFC 9110 §10.2.3). A push that could not be sent before `expires_at` is dead.
    """
    if isinstance(outcome, RetryAfter):
        pause = outcome.seconds * (1 + 0.1 * random())
        # A service that says "now" again and again is not asked again and again at once.
        pause = max(pause, _backoff(policy, tried, random))
    elif isinstance(outcome, Failed):
        if not outcome.retryable:
            return Dead(outcome.reason, outcome.reason)
        pause = _backoff(policy, tried, random)
    else:
        return None
    if tried >= policy.tries:
        return Dead(PushReason.GAVE_UP, outcome.reason)
    if now + pause >= expires_at:
        return Dead(PushReason.EXPIRED, outcome.reason)
    return Again(now + pause)


def retry_after_seconds(text: str, *, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, from now on; None if it says nothing.

    RFC 9110 §10.2.3: seconds, or a date. `now` in seconds since 1970. A date that has passed is 0.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        # Beyond 12 digits it is no time that anybody waits for, but `int` would take long.
        return float(text) if len(text) <= 12 else math.inf
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


def _backoff(policy: RetryPolicy, tried: int, random: Callable[[], float]) -> float:
    # The exponent is bounded: `tried` comes out of a table.
    pause = min(policy.first * 2.0 ** min(tried - 1, 64), policy.longest)
    return pause * (0.5 + 0.5 * random())
