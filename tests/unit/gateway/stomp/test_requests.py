"""What each frame needs at each version, and what becomes of it."""

import pytest

from allibe_gateway.stomp import ServerProtocol, Version
from allibe_gateway.stomp.errors import InvalidHeader, MissingHeader, UnexpectedBody
from allibe_gateway.stomp.events import Ack, Connect, Nack, Send, Subscribe, Unsubscribe
from allibe_gateway.stomp.frames import CLIENT_COMMANDS
from tests.unit.gateway.stomp.wire import connected, frame, one, refused

V1_0, V1_1, V1_2 = Version.V1_0, Version.V1_1, Version.V1_2


class TestSend:
    def test_it_carries_destination_body_headers_and_receipt(self) -> None:
        event = one(connected(), frame("SEND", "hi", destination="/app/message", receipt="1"))
        headers = {"destination": "/app/message", "receipt": "1"}
        assert event == Send("/app/message", b"hi", headers, "1")

    def test_a_receipt_is_optional_and_the_body_too(self) -> None:
        event = one(connected(), frame("SEND", destination="/a"))
        assert event == Send("/a", b"", {"destination": "/a"}, None)


class TestSubscribe:
    @pytest.mark.parametrize("version", [V1_1, V1_2])
    def test_it_carries_id_destination_and_ack(self, version: Version) -> None:
        chunk = frame("SUBSCRIBE", id_="0", destination="/t", ack="client", receipt="1")
        headers = {"id": "0", "destination": "/t", "ack": "client", "receipt": "1"}
        assert one(connected(version), chunk) == Subscribe("0", "/t", "client", headers, "1")

    def test_ack_is_auto_by_default(self) -> None:
        event = one(connected(), frame("SUBSCRIBE", id_="0", destination="/t"))
        assert isinstance(event, Subscribe)
        assert event.ack == "auto"

    @pytest.mark.parametrize("ack", ["auto", "client", "client-individual"])
    def test_three_ack_modes_are_known(self, ack: str) -> None:
        event = one(connected(), frame("SUBSCRIBE", id_="0", destination="/t", ack=ack))
        assert isinstance(event, Subscribe)
        assert event.ack == ack

    @pytest.mark.parametrize("ack", ["", "Auto", "always"])
    def test_any_other_is_refused(self, ack: str) -> None:
        chunk = frame("SUBSCRIBE", id_="0", destination="/t", ack=ack)
        refused(connected(), chunk, InvalidHeader)

    def test_stomp_1_0_needs_no_id(self) -> None:
        """1.0: the id is optional, and MESSAGE carries `subscription` only if it was given."""
        event = one(connected(V1_0), frame("SUBSCRIBE", destination="/t"))
        assert isinstance(event, Subscribe)
        assert (event.id, event.has_id) == ("/t", False)

    def test_stomp_1_0_may_have_one(self) -> None:
        event = one(connected(V1_0), frame("SUBSCRIBE", destination="/t", id_="0"))
        assert isinstance(event, Subscribe)
        assert (event.id, event.has_id) == ("0", True)


class TestUnsubscribe:
    @pytest.mark.parametrize("version", [V1_0, V1_1, V1_2])
    def test_it_names_the_id(self, version: Version) -> None:
        event = one(connected(version), frame("UNSUBSCRIBE", id_="0", receipt="1"))
        assert event == Unsubscribe("0", {"id": "0", "receipt": "1"}, "1")

    def test_stomp_1_0_may_name_the_destination(self) -> None:
        event = one(connected(V1_0), frame("UNSUBSCRIBE", destination="/t"))
        assert isinstance(event, Unsubscribe)
        assert event.id == "/t"


class TestAck:
    @pytest.mark.parametrize(("command", "event"), [("ACK", Ack), ("NACK", Nack)])
    def test_1_2_names_the_id_of_the_ack_header(
        self, command: str, event: type[Ack] | type[Nack]
    ) -> None:
        """1.2: `id` matches the MESSAGE's `ack` header."""
        headers = {"id": "m", "receipt": "1"}
        received = one(connected(V1_2), frame(command, id_="m", receipt="1"))
        assert received == event(None, "m", headers, "1")

    @pytest.mark.parametrize(("command", "event"), [("ACK", Ack), ("NACK", Nack)])
    def test_1_1_names_message_id_and_subscription(
        self, command: str, event: type[Ack] | type[Nack]
    ) -> None:
        """1.1: both are required."""
        headers = {"message-id": "m", "subscription": "s"}
        received = one(connected(V1_1), frame(command, message_id="m", subscription="s"))
        assert received == event("s", "m", headers, None)

    def test_1_0_names_the_message_id(self) -> None:
        """1.0: message-id is the one required header."""
        received = one(connected(V1_0), frame("ACK", message_id="m"))
        assert received == Ack(None, "m", {"message-id": "m"}, None)

    def test_1_0_may_name_the_subscription(self) -> None:
        received = one(connected(V1_0), frame("ACK", message_id="m", subscription="s"))
        assert isinstance(received, Ack)
        assert received.subscription == "s"


REQUIRED = [
    (V1_2, "SEND", ["destination"]),
    (V1_1, "SUBSCRIBE", ["id", "destination"]),
    (V1_2, "SUBSCRIBE", ["id", "destination"]),
    (V1_0, "SUBSCRIBE", ["destination"]),
    (V1_1, "UNSUBSCRIBE", ["id"]),
    (V1_2, "UNSUBSCRIBE", ["id"]),
    (V1_0, "UNSUBSCRIBE", ["destination"]),
    (V1_0, "ACK", ["message-id"]),
    (V1_1, "ACK", ["message-id", "subscription"]),
    (V1_2, "ACK", ["id"]),
    (V1_1, "NACK", ["message-id", "subscription"]),
    (V1_2, "NACK", ["id"]),
    (V1_2, "BEGIN", ["transaction"]),
    (V1_2, "COMMIT", ["transaction"]),
    (V1_2, "ABORT", ["transaction"]),
]
LACKING = [
    (version, command, names, name, value)
    for version, command, names in REQUIRED
    for name in names
    for value in (None, "")
]


class TestRequiredHeaders:
    @pytest.mark.parametrize(("version", "command", "names", "name", "value"), LACKING)
    def test_a_required_header_must_be_there_and_not_empty(
        self, version: Version, command: str, names: list[str], name: str, value: str | None
    ) -> None:
        """1.2, "Frames and Headers"; earlier versions frame by frame."""
        lines = [f"{other}:x\n" for other in names if other != name]
        if value is not None:
            lines.append(f"{name}:{value}\n")
        error = refused(
            connected(version), f"{command}\n{''.join(lines)}\n\0".encode(), MissingHeader
        )
        assert error.code == "missing_header"
        assert error.message == f"{command} needs the header {name}"

    def test_an_empty_id_is_no_missing_id_in_1_0(self) -> None:
        refused(connected(V1_0), frame("SUBSCRIBE", destination="/t", id_=""), MissingHeader)
        refused(connected(V1_0), frame("UNSUBSCRIBE", destination="/t", id_=""), MissingHeader)


class TestBodies:
    @pytest.mark.parametrize("command", sorted(CLIENT_COMMANDS - {"SEND", "CONNECT", "STOMP"}))
    @pytest.mark.parametrize("version", [V1_1, V1_2])
    def test_only_send_may_have_one(self, command: str, version: Version) -> None:
        """1.1 and 1.2: "Only the SEND, MESSAGE, and ERROR frames MAY have a body"."""
        protocol = connected(version)
        list(protocol.receive(frame("BEGIN", transaction="t")))
        chunk = frame(
            command,
            "body",
            id_="0",
            destination="/t",
            message_id="1",
            subscription="0",
            transaction="t2" if command == "BEGIN" else "t",
        )
        assert refused(protocol, chunk, UnexpectedBody).code == "unexpected_body"

    @pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
    def test_connect_may_not_once_its_version_says_so(self, command: str) -> None:
        refused(ServerProtocol(), frame(command, "body", accept_version="1.2"), UnexpectedBody)

    def test_in_1_0_such_a_body_is_ignored(self) -> None:
        """1.0: "The body of the SUBSCRIBE frame is ignored"."""
        protocol = ServerProtocol()
        assert isinstance(one(protocol, frame("CONNECT", "body")), Connect)
        assert isinstance(one(protocol, frame("SUBSCRIBE", "body", destination="/t")), Subscribe)


class TestPadding:
    def test_1_0_may_pad_its_headers(self) -> None:
        """Its examples write `destination: /queue/foo`."""
        chunk = b"SUBSCRIBE\ndestination: /t\nack: client\nreceipt: 1 \n\n\0"
        headers = {"destination": "/t", "ack": "client", "receipt": "1"}
        event = one(connected(V1_0), chunk)
        assert event == Subscribe("/t", "/t", "client", headers, "1", has_id=False)

    @pytest.mark.parametrize("version", [V1_1, V1_2])
    def test_later_versions_may_not(self, version: Version) -> None:
        """1.1 and 1.2: "clients and servers MUST never trim or pad headers with spaces"."""
        event = one(connected(version), b"SEND\ndestination: /t \n\n\0")
        assert isinstance(event, Send)
        assert event.destination == " /t "

    def test_connect_is_not_trimmed_for_them_either(self) -> None:
        event = one(ServerProtocol(), b"CONNECT\naccept-version:1.2\npasscode: x \n\n\0")
        assert isinstance(event, Connect)
        assert event.headers["passcode"] == " x "
