"""What a server sends, byte by byte."""

import pytest

from allibe_gateway.stomp import HEART_BEAT, FrameParser, LocalMisuse, MessageEncoder, Version
from allibe_gateway.stomp.errors import InvalidUtf8, UnsupportedVersion
from allibe_gateway.stomp.frames import Frame
from allibe_gateway.stomp.replies import connected, error, error_of, receipt
from allibe_gateway.stomp.versions import SUPPORTED

V1_0, V1_1, V1_2 = Version.V1_0, Version.V1_1, Version.V1_2


def decoded(wire: bytes, version: Version = V1_2) -> Frame:
    parser = FrameParser()
    parser.version = version
    (frame,) = parser.feed(wire)
    return frame


class TestConnected:
    def test_it_names_version_heart_beat_server_session_and_user(self) -> None:
        wire = connected(V1_2, "s-1", "allibe/0.1", (10_000, 20_000), "alice")
        assert wire == (
            b"CONNECTED\nversion:1.2\nheart-beat:10000,20000\nserver:allibe/0.1\n"
            b"session:s-1\nuser-name:alice\n\n\0"
        )

    def test_the_user_may_be_unknown_yet(self) -> None:
        """CONNECT without a token is allowed."""
        assert b"user-name" not in connected(V1_2, "s", "allibe", (0, 0))

    def test_stomp_1_0_hears_of_no_heart_beats(self) -> None:
        assert b"\nheart-beat:0,0\n" in connected(V1_0, "s", "allibe", (10, 10))

    def test_it_is_not_escaped(self) -> None:
        """1.2, "Value Encoding"."""
        assert b"\nuser-name:a:b\\\n" in connected(V1_2, "s", "allibe", (0, 0), "a:b\\")

    def test_a_name_that_would_forge_a_header_is_our_misuse(self) -> None:
        with pytest.raises(LocalMisuse):
            connected(V1_2, "s", "allibe", (0, 0), "a\nversion:1.0")


class TestReceipt:
    def test_it_names_the_receipt(self) -> None:
        assert receipt("r-1", V1_2) == b"RECEIPT\nreceipt-id:r-1\n\n\0"

    def test_more_headers_may_follow(self) -> None:
        wire = receipt("r-1", V1_2, {"x-recovered": "true", "x-offset": "7"})
        assert wire == b"RECEIPT\nreceipt-id:r-1\nx-recovered:true\nx-offset:7\n\n\0"

    @pytest.mark.parametrize(
        ("version", "wire"), [(V1_0, b"a:b\\"), (V1_1, b"a\\cb\\\\"), (V1_2, b"a\\cb\\\\")]
    )
    def test_the_id_is_escaped_by_version(self, version: Version, wire: bytes) -> None:
        assert receipt("a:b\\", version) == b"RECEIPT\nreceipt-id:" + wire + b"\n\n\0"


class TestError:
    def test_it_names_message_code_and_receipt(self) -> None:
        wire = error("not a member", "not_a_member", V1_2, "r-1")
        assert wire == b"ERROR\nmessage:not a member\nx-code:not_a_member\nreceipt-id:r-1\n\n\0"

    def test_a_body_says_more(self) -> None:
        wire = error("no", "no", V1_2, body="안녕", extra={"x-retry": "1"})
        assert decoded(wire) == Frame(
            "ERROR",
            {
                "message": "no",
                "x-code": "no",
                "x-retry": "1",
                "content-type": "text/plain",
                "content-length": "6",
            },
            "안녕".encode(),
        )

    @pytest.mark.parametrize("version", SUPPORTED)
    def test_the_message_is_one_line_at_every_version(self, version: Version) -> None:
        """An error on the way to an error would leave the peer without a reason."""
        wire = error("a\r\nb\0c\x7f", "x", version)
        assert decoded(wire, version).headers["message"] == "a b c "

    def test_an_error_of_the_stomp_layer_knows_its_frame(self) -> None:
        wire = error_of(InvalidUtf8("bad bytes", receipt_id="r:1"), V1_2)
        assert decoded(wire).headers == {
            "message": "bad bytes",
            "x-code": "invalid_utf8",
            "receipt-id": "r:1",
        }

    def test_an_unsupported_version_lists_ours(self) -> None:
        """1.2, "Protocol Negotiation"."""
        frame = decoded(error_of(UnsupportedVersion("no version in common"), V1_0))
        assert frame.headers["version"] == "1.0,1.1,1.2"
        assert frame.headers["content-type"] == "text/plain"
        assert frame.body == b"Supported protocol versions are 1.0 1.1 1.2"


class TestMessage:
    def test_it_has_the_headers_that_a_subscriber_needs(self) -> None:
        encoder = MessageEncoder(V1_2, "sub-0", "/topic/rooms/1")
        assert encoder.encode("1.e.7", b'{"a":1}') == (
            b"MESSAGE\nsubscription:sub-0\ndestination:/topic/rooms/1\n"
            b"content-type:application/json\nmessage-id:1.e.7\ncontent-length:7\n\n"
            b'{"a":1}\0'
        )

    def test_the_id_may_be_bytes(self) -> None:
        encoder = MessageEncoder(V1_2, "s", "/t")
        assert encoder.encode(b"1.e.7", b"{}") == encoder.encode("1.e.7", b"{}")

    def test_an_acknowledging_subscription_gets_an_ack_header_in_1_2(self) -> None:
        """1.2, "MESSAGE": it MUST have one in the client modes."""
        wire = MessageEncoder(V1_2, "s", "/t", ack=True).encode("7", b"{}")
        assert decoded(wire).headers["ack"] == decoded(wire).headers["message-id"] == "7"

    @pytest.mark.parametrize("version", [V1_0, V1_1])
    def test_earlier_versions_have_no_ack_header(self, version: Version) -> None:
        wire = MessageEncoder(version, "s", "/t", ack=True).encode("7", b"{}")
        assert "ack" not in decoded(wire, version).headers

    def test_a_subscription_without_an_id_gets_none(self) -> None:
        """1.0: `subscription` goes only to those that gave an id."""
        wire = MessageEncoder(V1_0, None, "/t").encode("7", b"{}")
        assert "subscription" not in decoded(wire, V1_0).headers

    @pytest.mark.parametrize("version", SUPPORTED)
    def test_what_the_peer_named_is_escaped_by_version(self, version: Version) -> None:
        """Subscription ids are the peer's; `%` must not meet the formatting either."""
        subscription, destination = "100%d: \\안%(id)b", "/t/%s"
        wire = MessageEncoder(version, subscription, destination).encode("7", b"%d")
        frame = decoded(wire, version)
        assert frame.headers["subscription"] == subscription
        assert frame.headers["destination"] == destination
        assert frame.body == b"%d"

    def test_a_body_may_hold_nul(self) -> None:
        assert decoded(MessageEncoder(V1_2, "s", "/t").encode("7", b"\0")).body == b"\0"

    def test_an_id_that_the_version_cannot_carry_is_our_misuse(self) -> None:
        with pytest.raises(LocalMisuse):
            MessageEncoder(V1_2, "a\0", "/t")


def test_a_heart_beat_is_one_line_feed() -> None:
    """1.2, "Heart-beating": an EOL."""
    assert HEART_BEAT == b"\n"
