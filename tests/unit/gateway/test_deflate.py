"""`deflate`: what is agreed on, and messages that nothing is remembered of."""

import tracemalloc
import zlib
from random import Random

import pytest
from websockets.exceptions import InvalidHeader, PayloadTooBig, ProtocolError
from websockets.frames import Opcode

from allibe_gateway.deflate import SHORTEST, Deflated, agreed_on, deflated, inflated
from allibe_gateway.doors.deflated_view import DeflatedView
from allibe_gateway.fanout.audience import Audience
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.websocket_frames import text_frame
from tests.support.deflate import compressed
from tests.unit.gateway.fakes import Subscriber, TextView

AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
MOST = 1000


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        (["permessage-deflate"], AGREED),
        (["permessage-deflate; client_max_window_bits"], AGREED),
        (["permessage-deflate; client_max_window_bits=10"], f"{AGREED}; client_max_window_bits=10"),
        (["x-webkit-deflate-frame", "permessage-deflate"], AGREED),
        (["permessage-deflate; server_max_window_bits=10, permessage-deflate"], AGREED),
        (["permessage-deflate; server_max_window_bits=10"], None),
        (["permessage-deflate; server_max_window_bits=16"], None),
        (["permessage-deflate; unheard_of"], None),
        (["permessage-bzip2"], None),
        ([], None),
    ],
)
def test_the_first_offer_that_all_can_share_is_agreed_on(
    offers: list[str], answer: str | None
) -> None:
    """RFC 7692 §7.1. A smaller window of the server's would need a compressor of its own."""
    assert agreed_on(offers) == answer


def test_what_is_no_header_is_refused() -> None:
    """RFC 6455 §9.1."""
    with pytest.raises(InvalidHeader):
        agreed_on(["permessage-deflate; ="])


@pytest.mark.parametrize("length", [SHORTEST, 300, 70_000, 300_000])
def test_a_frame_holds_its_text_compressed(length: int) -> None:
    """RFC 7692 §7.2.1: RSV1, and no more than the compressed bytes without their last four."""
    texts = [bytes(f"{number:06}", "ascii") * (length // 6) for number in range(3)]
    for text in texts:
        frame = deflated(text_frame(text))
        assert len(frame) < len(text) / 2
        assert frame[0] == 0xC1
        start = {126: 4, 127: 10}.get(frame[1], 2)
        alone = zlib.decompressobj(-15)  # nothing of an earlier one is needed
        assert alone.decompress(frame[start:] + b"\0\0\xff\xff") == text


@pytest.mark.parametrize("text", [b"x" * 100, Random(7).randbytes(200)])
def test_a_frame_that_would_hardly_be_shorter_is_left_as_it_is(text: bytes) -> None:
    assert deflated(text_frame(text)) == text_frame(text)


@pytest.mark.parametrize("length", [0, 1, MOST - 1, MOST])
def test_a_message_is_inflated_up_to_the_most(length: int) -> None:
    message = Deflated(Opcode.TEXT, compressed(b"a" * length))
    assert inflated(message, MOST).data == b"a" * length


@pytest.mark.parametrize("length", [MOST + 1, MOST + 2, 2000 * MOST])
def test_a_message_that_gets_too_long_is_refused(length: int) -> None:
    with pytest.raises(PayloadTooBig):
        inflated(Deflated(Opcode.TEXT, compressed(b"a" * length)), MOST)


def test_no_more_is_inflated_than_may_be() -> None:
    """20 KB on the wire are 20 MB: they are never in memory."""
    bomb = Deflated(Opcode.TEXT, compressed(bytes(20_000 * MOST)))
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooBig):
            inflated(bomb, MOST)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200 * MOST


def test_what_is_not_compressed_breaks_the_rules() -> None:
    with pytest.raises(ProtocolError):
        inflated(Deflated(Opcode.TEXT, b"\xff\xff\xff"), MOST)


class TestView:
    def test_a_group_shares_one_compressed_frame(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And who has none of it has the same view, uncompressed."""
        calls: list[bytes] = []

        def counted(frame: bytes) -> bytes:
            calls.append(frame)
            return b"z:" + frame

        monkeypatch.setattr("allibe_gateway.doors.deflated_view.deflated", counted)
        audience = Audience(ephemeral=False)
        shrunk, plain = [Subscriber() for _ in range(3)], [Subscriber() for _ in range(3)]
        for one in shrunk:
            audience.add(DeflatedView(TextView()), one.outbox)
        for one in plain:
            audience.add(TextView(), one.outbox)
        audience.push(Entry(1, "1.e1.1", b"{}"))
        audience.flush()
        assert calls == [b"v:1;"]
        assert [one.transport.written for one in shrunk] == [[b"z:v:1;"]] * 3
        assert [one.transport.written for one in plain] == [[b"v:1;"]] * 3
        assert len({id(one.transport.written[0]) for one in shrunk}) == 1

    def test_what_is_for_one_alone_is_not_compressed(self) -> None:
        """A replay: all come back at once, each with a gap of its own."""
        view = DeflatedView(TextView("x" * 1000))
        entry = Entry(1, "1.e1.1", b"{}")
        assert view.encode_for_one(entry) == TextView("x" * 1000).encode(entry)
        assert view.encode(entry) != view.encode_for_one(entry)
