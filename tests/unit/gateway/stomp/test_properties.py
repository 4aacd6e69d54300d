"""What must hold for every input, searched with Hypothesis."""

from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allibe_gateway.stomp import Frame, FrameParser, Limits, ServerProtocol, Version, encode
from allibe_gateway.stomp.errors import LocalMisuse, PeerViolation, StompError
from allibe_gateway.stomp.events import Connect, Event
from allibe_gateway.stomp.frames import COMMANDS, COMMANDS_WITH_BODY
from allibe_gateway.stomp.replies import error_of, receipt
from allibe_gateway.stomp.states import State
from allibe_gateway.stomp.versions import SUPPORTED

EXAMPLES: Final = 150
SMALL: Final = Limits(
    frame_bytes=120,
    headers=3,
    header_line_bytes=24,
    transactions=2,
    transaction_frames=3,
    transaction_bytes=90,
)

versions = st.sampled_from(SUPPORTED)
# Mostly what the grammar cares about, so that few examples find much.
header_text = st.text(
    st.one_of(st.sampled_from("\\:\r\nncr \t"), st.characters(exclude_categories=["Cs"]))
)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    command = draw(st.sampled_from(sorted(COMMANDS)))
    headers = draw(st.dictionaries(header_text, header_text, max_size=4))
    headers.pop("content-length", None)
    body = draw(st.binary(max_size=30)) if command in COMMANDS_WITH_BODY else b""
    if b"\0" in body or draw(st.booleans()):
        headers["content-length"] = str(len(body))
    return Frame(command, headers, body)


@st.composite
def splits(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    bounds = [0, *cuts, len(stream)]
    return [stream[a:b] for a, b in pairwise(bounds)]


CONNECTS: Final = [
    b"CONNECT\naccept-version:%b\nheart-beat:1,1\n\n\0" % version.encode() for version in SUPPORTED
]
PIECES: Final = [
    *CONNECTS,
    b"STOMP\r\nhost:a\r\n\r\n\0",
    b"SEND\ndestination:/a\nreceipt:r\\c1\n\n{}\0",
    b"SEND\ndestination: /a \ncontent-length:3\n\na\0b\0",
    b"SEND\ndestination:/a\ntransaction:t\nreceipt:a\r \n\n1\0",
    b"SUBSCRIBE\nid:0\ndestination:/t\nack:client\n\n\0",
    b"UNSUBSCRIBE\nid:0\n\n\0",
    b"ACK\nid:1\nmessage-id:1\nsubscription:0\n\n\0",
    b"NACK\nid:1\nmessage-id:1\nsubscription:0\ntransaction:t\n\n\0",
    b"BEGIN\ntransaction:t\nreceipt:b\n\n\0",
    b"COMMIT\ntransaction:t\nreceipt:c\n\n\0",
    b"ABORT\ntransaction:t\n\n\0",
    b"DISCONNECT\nreceipt:d\n\n\0",
    b"MESSAGE\nx:\\r\n\n\0",
    b"\n",
    b"\r\n",
    b"\\",
    b"\0",
    b"\xff",
    b":",
    b"SEND\n",
    b"x:y\n",
    b"content-length:999999\n",
    b"x" * 40,
]
token_soup = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)
plausible = st.tuples(st.sampled_from(CONNECTS), token_soup).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid beginning with a few bytes changed, dropped or put in."""
    stream = bytearray(draw(plausible))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(stream) - 1)) if stream else 0
        stream[at : at + draw(st.integers(0, 2))] = draw(
            st.one_of(st.binary(max_size=2), st.sampled_from([b"\0", b"\n", b"\r", b"\\", b":"]))
        )
    return bytes(stream)


streams = st.one_of(st.binary(max_size=200), plausible, mutated())


def _frames_and_error(
    chunks: list[bytes], version: Version, limits: Limits | None = None
) -> tuple[list[Frame], tuple[str, str, str | None] | None]:
    parser = FrameParser(limits)
    parser.version = version
    frames: list[Frame] = []
    try:
        for chunk in chunks:
            parser.push(chunk)
            frames += iter(parser.next_frame, None)
    except PeerViolation as error:
        return frames, (error.code, error.message, error.receipt_id)
    return frames, None


def _events_and_error(
    chunks: list[bytes], limits: Limits | None = None
) -> tuple[list[Event], StompError | None, ServerProtocol]:
    protocol = ServerProtocol(limits, heart_beat=(10, 10))
    events: list[Event] = []
    try:
        for chunk in chunks:
            for event in protocol.receive(chunk):
                events.append(event)  # noqa: PERF402 - keeps those before an error
    except PeerViolation as error:
        return events, error, protocol
    return events, None, protocol


@settings(max_examples=EXAMPLES)
@given(st.data(), streams, versions, st.sampled_from([None, SMALL]))
def test_any_chunking_gives_the_same_frames_and_the_same_error(
    data: st.DataObject, stream: bytes, version: Version, limits: Limits | None
) -> None:
    """Where a WebSocket message ends says nothing about where a frame does."""
    whole = _frames_and_error([stream], version, limits)
    assert _frames_and_error(data.draw(splits(stream)), version, limits) == whole
    bytewise = [stream[i : i + 1] for i in range(len(stream))]
    assert _frames_and_error(bytewise, version, limits) == whole


@settings(max_examples=EXAMPLES)
@given(st.lists(frames(), max_size=4), versions, st.data())
def test_decoding_what_was_encoded_is_the_identity(
    sent: list[Frame], version: Version, data: st.DataObject
) -> None:
    """Whatever a version can carry arrives as it was; the rest is refused before it leaves."""
    carried: list[Frame] = []
    wire = b""
    for frame in sent:
        try:
            wire += encode(frame, version) + b"\n"
        except LocalMisuse:
            continue
        carried.append(frame)
    assert _frames_and_error(data.draw(splits(wire)), version) == (carried, None)


@pytest.mark.parametrize("version", [Version.V1_1, Version.V1_2])
@settings(max_examples=EXAMPLES)
@given(frame=frames())
def test_versions_with_escapes_carry_nearly_every_header(version: Version, frame: Frame) -> None:
    """Only a NUL, an empty name, and in 1.1 a CR at the end have no way over the wire."""
    if frame.command in {"CONNECT", "STOMP", "CONNECTED"}:
        return
    texts = [*frame.headers, *frame.headers.values()]
    hopeless = "" in frame.headers or any("\0" in text for text in texts)
    if version is Version.V1_1:
        hopeless = hopeless or any(value.endswith("\r") for value in frame.headers.values())
    if hopeless:
        with pytest.raises(LocalMisuse):
            encode(frame, version)
    else:
        assert _frames_and_error([encode(frame, version)], version) == ([frame], None)


@settings(max_examples=2 * EXAMPLES)
@given(st.data(), streams, st.sampled_from([None, SMALL]))
def test_no_input_raises_anything_but_a_peer_violation(
    data: st.DataObject, stream: bytes, limits: Limits | None
) -> None:
    """And its ERROR frame can always be sent, as can the RECEIPT of every event."""
    events, error, protocol = _events_and_error(data.draw(splits(stream)), limits)
    for event in events:
        assert str(event)
        if not isinstance(event, Connect) and event.receipt is not None:
            assert receipt(event.receipt, protocol.version)
    if error is not None:
        assert protocol.state is State.CLOSED
        assert error_of(error, protocol.version)


@settings(max_examples=EXAMPLES)
@given(st.data(), streams)
def test_any_chunking_gives_the_same_events(data: st.DataObject, stream: bytes) -> None:
    whole, whole_error, _ = _events_and_error([stream])
    events, error, _ = _events_and_error(data.draw(splits(stream)))
    assert events == whole
    assert repr(error) == repr(whole_error)
