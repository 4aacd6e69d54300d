"""What CONNECT settles: the version and the heart-beats."""

import pytest

from allibe_gateway.stomp import HeartBeat, ServerProtocol, Version
from allibe_gateway.stomp.errors import InvalidHeader, UnsupportedVersion
from allibe_gateway.stomp.events import Connect
from tests.unit.gateway.stomp.wire import frame, one, refused

V1_0, V1_1, V1_2 = Version.V1_0, Version.V1_1, Version.V1_2


class TestVersion:
    @pytest.mark.parametrize(
        ("accepted", "version"),
        [
            ("1.0", V1_0),
            ("1.1", V1_1),
            ("1.2", V1_2),
            ("1.0,1.1,1.2", V1_2),
            ("1.2,1.1,1.0", V1_2),
            ("1.0,1.1,2.0", V1_1),  # the specification's example
            ("1.1, 1.2", V1_2),
            ("2.0,1.0", V1_0),
        ],
    )
    def test_the_highest_common_version_is_taken(self, accepted: str, version: Version) -> None:
        """1.2, "Protocol Negotiation"."""
        protocol = ServerProtocol()
        event = one(protocol, frame("CONNECT", accept_version=accepted, host="h"))
        assert isinstance(event, Connect)
        assert event.version is protocol.version is version

    def test_without_accept_version_it_is_1_0(self) -> None:
        protocol = ServerProtocol()
        event = one(protocol, frame("CONNECT", login="a"))
        assert isinstance(event, Connect)
        assert event.version is V1_0

    @pytest.mark.parametrize("accepted", ["2.0", "", "1", "1.2.0", "v12.stomp", ","])
    def test_no_common_version_is_an_error_that_lists_ours(self, accepted: str) -> None:
        error = refused(
            ServerProtocol(), frame("CONNECT", accept_version=accepted), UnsupportedVersion
        )
        assert error.code == "unsupported_version"
        assert error.reply_headers == {"version": "1.0,1.1,1.2"}
        assert error.reply_body == "Supported protocol versions are 1.0 1.1 1.2"

    def test_before_connect_replies_go_by_1_0(self) -> None:
        assert ServerProtocol().version is V1_0

    def test_a_missing_host_is_let_pass(self) -> None:
        """1.1 and 1.2 require it, but there is one virtual host."""
        event = one(ServerProtocol(), frame("CONNECT", accept_version="1.2"))
        assert isinstance(event, Connect)

    def test_the_headers_of_connect_come_along(self) -> None:
        event = one(ServerProtocol(), frame("CONNECT", Authorization="Bearer a:b\\c"))
        assert isinstance(event, Connect)
        assert event.headers == {"Authorization": "Bearer a:b\\c"}


class TestHeartBeat:
    @pytest.mark.parametrize(
        ("offer", "header", "send", "receive"),
        [
            ((10_000, 10_000), "10000,10000", 10_000, 10_000),
            ((10_000, 20_000), "5000,15000", 15_000, 20_000),  # the slower one wins
            ((10_000, 20_000), "30000,5000", 10_000, 30_000),
            ((10_000, 10_000), "0,0", 0, 0),
            ((10_000, 10_000), "0,5000", 10_000, 0),
            ((10_000, 10_000), "5000,0", 0, 10_000),
            ((0, 10_000), "5000,5000", 0, 10_000),
            ((10_000, 0), "5000,5000", 10_000, 0),
            ((1, 1), "20 , 30", 30, 20),
        ],
    )
    def test_each_direction_is_negotiated_alone(
        self, offer: tuple[int, int], header: str, send: int, receive: int
    ) -> None:
        """1.2, "Heart-beating": MAX of both, and none if either says 0."""
        protocol = ServerProtocol(heart_beat=offer)
        event = one(protocol, frame("CONNECT", accept_version="1.2", heart_beat=header))
        assert isinstance(event, Connect)
        assert event.heart_beat == HeartBeat(send_ms=send, receive_ms=receive)

    def test_a_missing_header_means_none(self) -> None:
        """1.2: treated as heart-beat:0,0."""
        protocol = ServerProtocol(heart_beat=(10, 10))
        event = one(protocol, frame("CONNECT", accept_version="1.1"))
        assert isinstance(event, Connect)
        assert event.heart_beat == HeartBeat(0, 0)

    def test_stomp_1_0_has_none(self) -> None:
        protocol = ServerProtocol(heart_beat=(10, 10))
        event = one(protocol, frame("CONNECT", heart_beat="5,5"))
        assert isinstance(event, Connect)
        assert event.heart_beat == HeartBeat(0, 0)

    @pytest.mark.parametrize(
        "header", ["", "1", "1,", ",1", "1,2,3", "-1,5", "a,b", "1.5,1", "٣,٣", "9" * 19 + ",1"]
    )
    def test_anything_but_two_numbers_is_refused(self, header: str) -> None:
        chunk = frame("CONNECT", accept_version="1.2", heart_beat=header)
        assert refused(ServerProtocol(), chunk, InvalidHeader).code == "invalid_header"
