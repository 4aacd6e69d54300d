"""What answers and failures mean, where browsers' push services and webhooks agree."""

from allibe_fanout_worker.push.base import Delivered, Failed, Outcome, RetryAfter
from allibe_fanout_worker.push.retries import retry_after_seconds
from allibe_services.contracts.push import PushReason
from allibe_services.outbound import (
    AddressRefused,
    Answer,
    OutboundError,
    TimedOut,
    Unreachable,
    Untrusted,
    UrlRefused,
)

_BUSY = frozenset({408, 425, 429})
"""Not the request's fault: it came too slowly, too early, or after too many."""

_REFUSALS = {
    401: PushReason.UNAUTHORIZED,
    403: PushReason.UNAUTHORIZED,
    413: PushReason.TOO_LARGE,
}

_FAILURES: dict[type[OutboundError], Failed] = {
    UrlRefused: Failed(retryable=False, reason=PushReason.URL_REFUSED),
    AddressRefused: Failed(retryable=False, reason=PushReason.ADDRESS_REFUSED),
    Unreachable: Failed(retryable=True, reason=PushReason.UNREACHABLE),
    Untrusted: Failed(retryable=True, reason=PushReason.UNTRUSTED),
    TimedOut: Failed(retryable=True, reason=PushReason.TIMED_OUT),
}


def outcome_of(answer: Answer, *, now: float) -> Outcome:
    """Return what the status means (RFC 8030 §5, §8.4; RFC 9110 §15). `now`: since 1970."""
    status = answer.status
    if 200 <= status < 300:
        return Delivered()
    if status >= 500 or status in _BUSY:
        reason = PushReason.THROTTLED if status == 429 else PushReason.UNAVAILABLE
        seconds = retry_after_seconds(answer.retry_after or "", now=now)
        if seconds is not None:
            return RetryAfter(seconds, reason)
        return Failed(retryable=True, reason=reason)
    if status < 400:
        return Failed(retryable=False, reason=PushReason.REDIRECTED)
    return Failed(retryable=False, reason=_REFUSALS.get(status, PushReason.REJECTED))


def failure_of(error: OutboundError) -> Failed:
    """Return what it means that there is no answer."""
    return _FAILURES[type(error)]
