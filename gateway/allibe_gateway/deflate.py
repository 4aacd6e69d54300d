"""permessage-deflate (RFC 7692) without a context of any connection's.

Nothing is remembered from one message to the next, in either direction: so one compressed frame
serves every connection, an idle one holds nothing of zlib's, and no message tells of another. The
rules, and zlib, are `websockets`'s.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from aiohttp import hdrs
from websockets.datastructures import Headers
from websockets.exceptions import NegotiationError, ProtocolError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.typing import ExtensionName, ExtensionParameter

SHORTEST: Final = 160
"""Bytes of a frame that is worth compressing: a shorter one, in JSON, hardly gets any shorter."""

_WINDOW_BITS: Final = 15
_NAME: Final = ExtensionName("permessage-deflate")
_TEXT: Final = Opcode.TEXT
_CONTINUATION: Final = Opcode.CONT
_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)

_shared = PerMessageDeflate(
    True, True, _WINDOW_BITS, _WINDOW_BITS, compress_settings={"level": 1, "memLevel": 5}
)


class _Factory(ServerPerMessageDeflateFactory):
    """Declines what would need a compressor of the connection's own: a smaller window."""

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        answer, extension = super().process_request_params(params, accepted_extensions)
        if extension.local_max_window_bits < _WINDOW_BITS:
            raise NegotiationError
        return answer, extension


_negotiation = ServerProtocol(
    extensions=[_Factory(server_no_context_takeover=True, client_no_context_takeover=True)]
)


def agreed_on(offers: Iterable[str]) -> str | None:
    """Return the answer to what a handshake offers in `Sec-WebSocket-Extensions`, None to decline.

    Raises `websockets.exceptions.InvalidHeader` for what is no such header (RFC 6455 §9.1).
    """
    headers = Headers([(hdrs.SEC_WEBSOCKET_EXTENSIONS, offer) for offer in offers])
    answer, _ = _negotiation.process_extensions(headers)
    return answer


class Deflated(Frame):
    """A compressed message, or the first part of one."""


class Inflated(Frame):
    """A message as its sender had it, of which `came` bytes came: more than it holds, perhaps."""

    came: int


class _Marking(Extension):
    """Says which messages are compressed, and leaves them so.

    They are inflated when they are handled, one by one: 16 KiB of the stream may hold 16 MiB.
    """

    name = _NAME

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        if not frame.rsv1 or frame.opcode not in _DATA:
            return frame  # a control frame with the bit is refused by who asks
        if frame.opcode is _CONTINUATION:
            raise ProtocolError("RSV1 bit set in continuation frame")  # RFC 7692 §6.1
        return Deflated(frame.opcode, frame.data, frame.fin, rsv2=frame.rsv2, rsv3=frame.rsv3)

    def encode(self, frame: Frame) -> Frame:
        return frame  # control frames: messages come finished, from the outbox


MARKING: Final[list[Extension]] = [_Marking()]
"""What a `websockets.protocol.Protocol` needs to read compressed messages as `Deflated`."""


def inflated(message: Deflated, most: int) -> Inflated:
    """Return a whole message as its sender had it, of at most `most` bytes.

    No more than that is inflated. Raises `PayloadTooBig`, and `ProtocolError` for what is not
    compressed.
    """
    plain = _shared.decode(Frame(message.opcode, message.data, rsv1=True), max_size=most)
    whole = Inflated(plain.opcode, plain.data)
    whole.came = len(message.data)
    return whole


def deflated(frame: bytes) -> bytes:
    """Return a finished text frame compressed, or as it is where that makes it no shorter."""
    if len(frame) < SHORTEST:
        return frame
    head = {126: 4, 127: 10}.get(frame[1], 2)
    shorter = Frame(_TEXT, frame[head:]).serialize(mask=False, extensions=[_shared])
    return shorter if len(shorter) < len(frame) else frame
