"""What events look like in a log."""

from allibe_gateway.stomp import HeartBeat, Version
from allibe_gateway.stomp.events import Connect, Disconnect, Handled, Send

V1_2 = Version.V1_2


def test_events_show_no_tokens_and_no_bodies() -> None:
    headers = {"destination": "/a", "Authorization": "Bearer abc"}
    shown = repr(Send("/a", b"hello", headers, "r-1"))
    assert shown == (
        "Send(destination='/a', body=<5 bytes>, "
        "headers=[destination='/a' Authorization=<hidden>], receipt='r-1')"
    )
    assert str(Connect(V1_2, HeartBeat(0, 1), {"passcode": "abc"})) == (
        "Connect(version='1.2', heart_beat=HeartBeat(send_ms=0, receive_ms=1), "
        "headers=[passcode=<hidden>])"
    )


def test_a_missing_receipt_shows_as_none() -> None:
    assert repr(Disconnect(None)) == "Disconnect(receipt=None)"
    assert repr(Handled("COMMIT", "1")) == "Handled(command='COMMIT', receipt='1')"
