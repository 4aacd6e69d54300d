"""A connection as a whole: which frame may come when, and what becomes of a chunk."""

from itertools import product

import pytest

from allibe_gateway.stomp import LocalMisuse, ServerProtocol, State, Version
from allibe_gateway.stomp.errors import (
    AlreadyConnected,
    AlreadyDisconnected,
    MalformedFrame,
    NotConnected,
    PeerViolation,
    UndefinedEscape,
    UnknownCommand,
)
from allibe_gateway.stomp.events import Connect, Disconnect, Nack, Send
from allibe_gateway.stomp.frames import CLIENT_COMMANDS, COMMANDS, SERVER_COMMANDS
from allibe_gateway.stomp.states import TRANSITIONS
from tests.unit.gateway.stomp.wire import connected, frame, one, refused

V1_0, V1_1, V1_2 = Version.V1_0, Version.V1_1, Version.V1_2


ALLOWED = {
    State.AWAITING_CONNECT: {"CONNECT", "STOMP"},
    State.CONNECTED: set(CLIENT_COMMANDS) - {"CONNECT", "STOMP"},
    State.CLOSED: set[str](),
}
REFUSED = {
    State.AWAITING_CONNECT: NotConnected,
    State.CONNECTED: AlreadyConnected,
    State.CLOSED: AlreadyDisconnected,
}
ELSEWHERE = [
    (state, command)
    for state, command in product(State, sorted(COMMANDS))
    if command not in ALLOWED[state]
]


class TestOrderOfFrames:
    """The table in `states`, row by row."""

    def test_the_table_lists_what_is_allowed_in_each_state(self) -> None:
        assert {state: set(row) for state, row in TRANSITIONS.items()} == ALLOWED

    @pytest.mark.parametrize(("state", "command"), ELSEWHERE)
    def test_every_other_command_is_refused(self, state: State, command: str) -> None:
        protocol = self._in(state)
        expected = UnknownCommand if command in SERVER_COMMANDS else REFUSED[state]
        refused(protocol, frame(command), expected)

    @pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
    def test_connect_and_stomp_both_open(self, command: str) -> None:
        """1.2: servers must handle STOMP in the same manner as CONNECT."""
        protocol = ServerProtocol()
        event = one(protocol, frame(command, accept_version="1.2", host="h"))
        assert isinstance(event, Connect)
        assert protocol.state is State.CONNECTED

    def test_disconnect_closes(self) -> None:
        protocol = connected()
        assert one(protocol, frame("DISCONNECT", receipt="77")) == Disconnect("77")
        assert protocol.state is State.CLOSED

    def test_after_disconnect_line_ends_may_come_but_no_frame(self) -> None:
        """1.2: "Clients MUST NOT send any more frames after the DISCONNECT frame is sent"."""
        protocol = connected()
        list(protocol.receive(frame("DISCONNECT")))
        assert list(protocol.receive(b"\n")) == []
        error = refused(protocol, frame("SEND", destination="/a"), AlreadyDisconnected)
        assert error.code == "already_disconnected"

    def test_nack_came_with_1_1(self) -> None:
        nack = frame("NACK", message_id="1", subscription="s")
        assert isinstance(one(connected(V1_1), nack), Nack)
        refused(connected(V1_0), nack, UnknownCommand)

    def test_line_ends_are_heart_beats_and_give_no_event(self) -> None:
        assert list(connected().receive(b"\n\r\n\n")) == []

    @staticmethod
    def _in(state: State) -> ServerProtocol:
        if state is State.AWAITING_CONNECT:
            return ServerProtocol()
        protocol = connected()
        if state is State.CLOSED:
            list(protocol.receive(frame("DISCONNECT")))
        return protocol


class TestReceive:
    def test_events_before_a_bad_frame_come_before_its_error(self) -> None:
        """What was asked for properly is done; it is not lost with the frame after it."""
        events = connected().receive(frame("SEND", "1", destination="/a") + b"HELLO\n")
        assert isinstance(next(events), Send)
        with pytest.raises(UnknownCommand):
            next(events)

    def test_input_is_taken_at_the_call_not_at_the_first_event(self) -> None:
        protocol = connected()
        chunk = frame("SEND", "1", destination="/a")
        protocol.receive(chunk[:9])  # never iterated
        assert isinstance(one(protocol, chunk[9:]), Send)

    def test_frames_behind_connect_in_its_chunk_go_by_the_negotiated_version(self) -> None:
        protocol = ServerProtocol()
        chunk = frame("CONNECT", accept_version="1.2", host="h")
        chunk += b"SEND\ndestination:/a\\cb\n\n\0"
        _, send = protocol.receive(chunk)
        assert isinstance(send, Send)
        assert send.destination == "/a:b"

    def test_a_frame_may_come_in_many_chunks(self) -> None:
        protocol = connected()
        chunk = frame("SEND", "hello", destination="/a")
        events = [event for byte in chunk for event in protocol.receive(bytes([byte]))]
        assert events == [Send("/a", b"hello", {"destination": "/a"}, None)]

    def test_an_error_closes_for_good(self) -> None:
        protocol = connected()
        refused(protocol, frame("CONNECT"), AlreadyConnected)
        with pytest.raises(LocalMisuse):
            protocol.receive(b"\n")

    def test_frames_behind_the_bad_one_are_forgotten(self) -> None:
        protocol = connected()
        events = protocol.receive(frame("CONNECT") + frame("SEND", destination="/a"))
        with pytest.raises(AlreadyConnected):
            next(events)
        assert list(events) == []

    def test_a_parser_error_keeps_its_receipt(self) -> None:
        error = refused(connected(), b"SEND\nreceipt:r-1\nbad\n\n\0", MalformedFrame)
        assert error.receipt_id == "r-1"

    @pytest.mark.parametrize(
        "chunk",
        [
            frame("SEND", receipt="r-1"),
            frame("SUBSCRIBE", receipt="r-1"),
            frame("COMMIT", transaction="t", receipt="r-1"),
            frame("CONNECT", receipt="r-1"),
        ],
    )
    def test_an_error_names_the_receipt_of_its_frame(self, chunk: bytes) -> None:
        """1.2, "ERROR": receipt-id should match the frame's receipt."""
        assert refused(connected(), chunk, PeerViolation).receipt_id == "r-1"


class TestEscapes:
    @pytest.mark.parametrize("version", [V1_1, V1_2])
    def test_an_undefined_escape_closes_the_connection(self, version: Version) -> None:
        refused(connected(version), b"SEND\ndestination:\\t\n\n\0", UndefinedEscape)

    def test_in_1_0_a_backslash_is_itself(self) -> None:
        event = one(connected(V1_0), b"SEND\ndestination:\\t\n\n\0")
        assert isinstance(event, Send)
        assert event.destination == "\\t"
