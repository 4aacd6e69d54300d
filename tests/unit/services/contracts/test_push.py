"""`contracts.push`: what a subscription may look like."""

import msgspec
import pytest

from allibe_services.contracts.push import ENDPOINT_LENGTH, Subscription
from tests.support.push_browser import PushBrowser, base64url

GOOD = PushBrowser().subscription("https://push.example.net/1")

WRONG = [
    ("endpoint", ""),
    ("endpoint", "https://" + "x" * ENDPOINT_LENGTH),
    ("endpoint", "https://push.example.net/\0"),
    ("endpoint", "https://push.example.net/é"),
    ("p256dh", ""),
    ("p256dh", GOOD.p256dh[:-1]),
    ("p256dh", GOOD.p256dh + "A"),
    ("p256dh", GOOD.p256dh + "\n"),
    ("p256dh", GOOD.p256dh[:-1] + "+"),
    ("p256dh", base64url(b"\x02" + bytes(64))),
    ("auth", ""),
    ("auth", GOOD.auth[:-1]),
    ("auth", GOOD.auth + "="),
    ("auth", GOOD.auth + "AA"),
    ("auth", "é" * 22),
]


def test_what_a_browser_gives_is_taken_with_padding_or_without() -> None:
    padded = Subscription(GOOD.endpoint, GOOD.p256dh + "=", GOOD.auth + "==")
    assert padded.endpoint == GOOD.endpoint


@pytest.mark.parametrize(("field", "value"), WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_one_is_refused(field: str, value: str) -> None:
    values = msgspec.structs.asdict(GOOD) | {field: value}
    with pytest.raises(ValueError, match=field):
        Subscription(**values)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, Subscription)
