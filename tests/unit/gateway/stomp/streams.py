"""Streams through the parser, each in one piece and byte by byte."""

import pytest

from allibe_gateway.stomp.errors import StompError
from allibe_gateway.stomp.frames import Frame
from allibe_gateway.stomp.limits import Limits
from allibe_gateway.stomp.parser import FrameParser
from allibe_gateway.stomp.versions import Version


def parse(
    stream: bytes, version: Version = Version.V1_2, limits: Limits | None = None
) -> list[Frame]:
    """The frames of the stream, which must be the same in one piece and byte by byte."""
    whole = _parser(version, limits).feed(stream)
    assert feed_bytewise(_parser(version, limits), stream) == whole
    return whole


def refused(
    stream: bytes,
    error: type[StompError],
    version: Version = Version.V1_2,
    limits: Limits | None = None,
) -> StompError:
    """The error that the stream meets, in one piece and byte by byte."""
    with pytest.raises(error) as caught:
        _parser(version, limits).feed(stream)
    with pytest.raises(error) as caught_bytewise:
        feed_bytewise(_parser(version, limits), stream)
    assert str(caught.value) == str(caught_bytewise.value)
    assert caught.value.receipt_id == caught_bytewise.value.receipt_id
    return caught.value


def _parser(version: Version, limits: Limits | None) -> FrameParser:
    parser = FrameParser(limits)
    parser.version = version
    return parser


def feed_bytewise(parser: FrameParser, stream: bytes) -> list[Frame]:
    return [frame for i in range(len(stream)) for frame in parser.feed(stream[i : i + 1])]
