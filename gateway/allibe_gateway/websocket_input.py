"""What a client sends on a WebSocket: bytes in, whole messages out. RFC 6455 is `websockets`'s."""

from typing import Final

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

SLICE_BYTES: Final = 16 * 1024
"""Bytes that are parsed at a time: there are objects of each frame in them until it is handled."""

TEXT: Final = Opcode.TEXT
BINARY: Final = Opcode.BINARY
_CONTINUATION: Final = Opcode.CONT
_OPEN: Final = State.OPEN


class Input(Protocol):
    """One connection as its server sees it. Messages have at most `most` bytes.

    What is to be answered, a ping, a close, or an end for a broken rule, is in `data_to_send`.
    """

    def __init__(self, most: int) -> None:
        super().__init__(Side.SERVER, max_size=most)
        self._unparsed = b""
        self._frames: list[Frame] = []
        self._opcode = TEXT
        self._parts: bytearray | None = None

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed, as far as it was read."""
        return self.state is _OPEN

    def feed(self, chunk: bytes) -> None:
        """Take bytes of the stream."""
        self._unparsed = self._unparsed + chunk if self._unparsed else chunk

    def next(self) -> Frame | None:
        """Return the next whole message, or control frame; None until more is fed."""
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
            self._opcode, self._parts = part.opcode, bytearray()
        self._parts += part.data
        if not part.fin:
            return None
        content, self._parts = bytes(self._parts), None
        return Frame(self._opcode, content)
