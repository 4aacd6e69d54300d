"""Where the parser says no, before it has taken the memory."""

import tracemalloc

import pytest

from allibe_gateway.stomp.errors import FrameTooLarge, HeaderTooLong, TooManyHeaders
from allibe_gateway.stomp.limits import Limits
from allibe_gateway.stomp.parser import FrameParser
from tests.unit.gateway.stomp.streams import feed_bytewise, parse, refused


def test_a_frame_may_have_exactly_its_limit_of_bytes() -> None:
    """From the command to the NUL inclusive."""
    frame = b"SEND\n\n" + b"x" * 13 + b"\0"
    assert len(parse(frame, limits=Limits(frame_bytes=20))) == 1
    assert refused(frame, FrameTooLarge, limits=Limits(frame_bytes=19)).code == "frame_too_large"


def test_with_content_length_too() -> None:
    frame = b"SEND\ncontent-length:1\n\nx\0"
    assert len(parse(frame, limits=Limits(frame_bytes=len(frame)))) == 1
    refused(frame, FrameTooLarge, limits=Limits(frame_bytes=len(frame) - 1))


@pytest.mark.parametrize("length", [b"65536", b"9" * 18, b"9" * 19, b"9" * 5000])
def test_a_declared_length_over_the_limit_is_refused_before_the_body(length: bytes) -> None:
    refused(b"SEND\ncontent-length:" + length + b"\n\n", FrameTooLarge)


def test_a_body_over_the_limit_is_refused_before_its_nul() -> None:
    refused(b"SEND\n\n" + b"x" * 94, FrameTooLarge, limits=Limits(frame_bytes=100))


def test_a_head_over_the_limit_is_refused_before_its_blank_line() -> None:
    refused(b"SEND\n" + b"a:1234567\n" * 10, FrameTooLarge, limits=Limits(frame_bytes=100))


def test_a_head_that_ends_at_the_limit_leaves_no_room_for_the_nul() -> None:
    refused(b"SEND\na:b\n\n\0", FrameTooLarge, limits=Limits(frame_bytes=9))
    refused(b"SEND\na:b\n\n\0", FrameTooLarge, limits=Limits(frame_bytes=8))
    assert len(parse(b"SEND\na:b\n\n\0", limits=Limits(frame_bytes=11))) == 1


def test_each_frame_has_the_whole_limit() -> None:
    assert len(parse(b"SEND\r\n\r\nx\0" * 9, limits=Limits(frame_bytes=10))) == 9


def test_heart_beats_do_not_count() -> None:
    assert len(parse(b"\n" * 50 + b"SEND\n\n\0", limits=Limits(frame_bytes=7))) == 1


def test_a_frame_may_have_64_headers_and_no_more() -> None:
    lines = [f"h{i}:x\n".encode() for i in range(65)]
    assert len(parse(b"SEND\n" + b"".join(lines[:64]) + b"\n\0")[0].headers) == 64
    error = refused(b"SEND\n" + b"".join(lines) + b"\n\0", TooManyHeaders)
    assert error.code == "too_many_headers"


def test_one_header_too_many_is_refused_before_the_blank_line() -> None:
    refused(b"SEND\na:1\nb:2\n", TooManyHeaders, limits=Limits(headers=1))


def test_repeated_headers_count_as_well() -> None:
    refused(b"SEND\n" + b"x:1\n" * 65, TooManyHeaders)


def test_a_header_line_may_have_exactly_its_limit_of_bytes() -> None:
    limits = Limits(header_line_bytes=10)
    assert len(parse(b"SEND\nx:" + b"y" * 8 + b"\n\n\0", limits=limits)) == 1
    error = refused(b"SEND\nx:" + b"y" * 9 + b"\n\n\0", HeaderTooLong, limits=limits)
    assert error.code == "header_too_long"


def test_the_limit_of_a_line_is_in_bytes() -> None:
    stream = "SEND\nx:안녕\n\n\0".encode()
    assert len(parse(stream, limits=Limits(header_line_bytes=8))) == 1
    refused(stream, HeaderTooLong, limits=Limits(header_line_bytes=7))


def test_a_line_over_the_limit_is_refused_before_its_line_feed() -> None:
    refused(b"SEND\nx:" + b"y" * 9, HeaderTooLong, limits=Limits(header_line_bytes=10))
    refused(b"S" * 11, HeaderTooLong, limits=Limits(header_line_bytes=10))


def test_a_nul_past_the_limit_of_a_line_does_not_hide_it() -> None:
    refused(b"SEND\nx:" + b"y" * 9 + b"\0", HeaderTooLong, limits=Limits(header_line_bytes=10))


def test_the_head_may_be_longer_than_a_line_of_it() -> None:
    limits = Limits(header_line_bytes=10)
    assert len(parse(b"SEND\na:12345\nb:12345\nc:12345\n\n\0", limits=limits)[0].headers) == 3


def test_an_endless_frame_costs_no_more_than_its_limit() -> None:
    """Memory is bounded before a frame is complete."""
    parser = FrameParser(Limits(frame_bytes=65_536))
    parser.feed(b"SEND\n\n")
    endless = b"x" * 1_000_000
    tracemalloc.start()
    with pytest.raises(FrameTooLarge):
        feed_bytewise(parser, endless)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 65_536
