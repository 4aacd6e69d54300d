"""What a client sends on a WebSocket: bytes in, whole messages out. RFC 6455 is `websockets`'s."""

import logging
from typing import Final

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

from allibe_gateway.deflate import MARKING, Deflated, inflated

SLICE_BYTES: Final = 16 * 1024
"""Bytes that are parsed at a time: there are objects of each frame in them until it is handled."""

TEXT: Final = Opcode.TEXT
BINARY: Final = Opcode.BINARY
_CONTINUATION: Final = Opcode.CONT
_NONE: Final = Frame(TEXT, b"")
_OPEN: Final = State.OPEN
_LOGGER: Final = logging.getLogger("websockets.server")  # looked up for each connection otherwise


class Input(Protocol):
    """One connection as its server sees it. Messages have at most `most` bytes.

    With `deflated` the client may compress them (RFC 7692): what is whole here is inflated.

    What is to be answered, a ping, a close, or an end for a broken rule, is in `data_to_send`.
    """

    def __init__(self, most: int, *, deflated: bool = False) -> None:
        super().__init__(Side.SERVER, max_size=most, logger=_LOGGER)
        if deflated:
            self.extensions = MARKING
        self._most = most
        self._unparsed = b""
        self._frames: list[Frame] = []
        self._first = _NONE
        self._parts: bytearray | None = None

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed, as far as it was read."""
        return self.state is _OPEN

    @property
    def deflated(self) -> bool:
        """Whether messages may be compressed, in both directions."""
        return bool(self.extensions)

    def feed(self, chunk: bytes) -> None:
        """Take bytes of the stream."""
        self._unparsed = self._unparsed + chunk if self._unparsed else chunk

    def next(self) -> Frame | None:
        """Return the next whole message, or control frame; None until more is fed."""
        whole = self._whole()
        return self._inflated(whole) if isinstance(whole, Deflated) else whole

    def skip(self) -> None:
        """Read on, and handle nothing: what nobody sees is not worth inflating."""
        while self._whole() is not None:
            pass

    def _whole(self) -> Frame | None:
        """Return the next message as it came, or control frame; None until more is fed."""
        while True:
            while self._frames:
                frame = self._frames.pop()
                if frame.fin and frame.opcode is not _CONTINUATION:
                    return frame
                if (whole := self._joined(frame)) is not None:
                    return whole
            chunk = self._unparsed
            if not chunk:
                return None
            self._unparsed = chunk[SLICE_BYTES:]
            self.receive_data(chunk[:SLICE_BYTES])
            events = self.events_received()  # after a handshake there are only frames
            self._frames = [event for event in reversed(events) if isinstance(event, Frame)]

    def _joined(self, part: Frame) -> Frame | None:
        """Return the message that a part ends (RFC 6455 §5.4)."""
        if self._parts is None:
            self._first, self._parts = type(part)(part.opcode, b""), bytearray()
        self._parts += part.data
        if not part.fin:
            return None
        kind, opcode, content = type(self._first), self._first.opcode, bytes(self._parts)
        self._first, self._parts = _NONE, None
        return kind(opcode, content)

    def _inflated(self, message: Deflated) -> Frame | None:
        """Return a message as it was sent; None where it ends the connection."""
        try:
            return inflated(message, self._most)
        except PayloadTooBig as error:
            self.fail(CloseCode.MESSAGE_TOO_BIG, str(error))
        except ProtocolError as error:
            self.fail(CloseCode.PROTOCOL_ERROR, str(error))
        self._frames.clear()
        self._unparsed = b""
        return None
