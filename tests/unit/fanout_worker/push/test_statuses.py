"""`push.statuses`: every status and every failure means something."""

import pytest

from allibe_fanout_worker.push.base import Delivered, Failed, Outcome, RetryAfter
from allibe_fanout_worker.push.statuses import failure_of, outcome_of
from allibe_services.contracts.push import PushReason
from allibe_services.outbound import Answer, OutboundError


@pytest.mark.parametrize(
    ("status", "retry_after", "outcome"),
    [
        (201, None, Delivered()),
        (202, "9", Delivered()),
        (307, "9", Failed(retryable=False, reason=PushReason.REDIRECTED)),
        (400, "9", Failed(retryable=False, reason=PushReason.REJECTED)),
        (401, None, Failed(retryable=False, reason=PushReason.UNAUTHORIZED)),
        (403, None, Failed(retryable=False, reason=PushReason.UNAUTHORIZED)),
        (413, None, Failed(retryable=False, reason=PushReason.TOO_LARGE)),
        (408, None, Failed(retryable=True, reason=PushReason.UNAVAILABLE)),
        (429, None, Failed(retryable=True, reason=PushReason.THROTTLED)),
        (429, "soon", Failed(retryable=True, reason=PushReason.THROTTLED)),
        (429, "9", RetryAfter(9.0, PushReason.THROTTLED)),
        (503, None, Failed(retryable=True, reason=PushReason.UNAVAILABLE)),
        (503, "9", RetryAfter(9.0, PushReason.UNAVAILABLE)),
    ],
)
def test_a_status_means(status: int, retry_after: str | None, outcome: Outcome) -> None:
    assert outcome_of(Answer(status, retry_after), now=0.0) == outcome


def test_every_status_means_something() -> None:
    for status in range(200, 1000):
        assert isinstance(outcome_of(Answer(status, None), now=0.0), Delivered | Failed)


@pytest.mark.parametrize("error", OutboundError.__subclasses__())
def test_every_failure_means_something(error: type[OutboundError]) -> None:
    assert failure_of(error("x")).reason in PushReason
