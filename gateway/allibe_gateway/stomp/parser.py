"""Bytes to frames, in either direction and in chunks of any size.

This file finds where lines, bodies and frames end, and stops at the limits before the memory is
taken; `head` reads what stands in the lines.
"""

import re
from typing import Final

from allibe_gateway.stomp.errors import (
    FrameTooLarge,
    HeaderTooLong,
    LocalMisuse,
    MalformedFrame,
    StompError,
)
from allibe_gateway.stomp.frames import Frame
from allibe_gateway.stomp.head import Head, plain_head
from allibe_gateway.stomp.limits import Limits
from allibe_gateway.stomp.versions import Version

_LINE_ENDS: Final = re.compile(rb"(?:\r?\n)+")


class FrameParser:
    """An incremental parser of one stream.

    Any split of the stream into chunks gives the same frames and the same error. Line ends between
    frames (heart-beats) are skipped. It holds at most `Limits.frame_bytes` between two chunks.

    `version` rules the unescaping of the frames to come. It starts as 1.0, which is right for
    CONNECT and CONNECTED; set it as soon as the version is negotiated, before the next frame is
    taken.
    """

    __slots__ = (
        "_buffer",
        "_closed",
        "_head",
        "_limits",
        "_position",
        "_searched",
        "_taken",
        "version",
    )

    def __init__(self, limits: Limits | None = None) -> None:
        self.version = Version.V1_0
        self._limits = limits or Limits()
        self._closed = False
        self._buffer = b""
        self._position = 0  # the first byte that is not read yet
        self._head: Head | None = None  # of the frame in progress
        self._taken = 0  # bytes of the frame in progress that lie before the position
        self._searched = 0  # bytes after the position that are known to hold no line or body end

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that this chunk completes, all read by the present `version`.

        Raises what `next_frame` raises; the frames before the bad one are then lost. Whoever needs
        them, or sets `version` on the way, uses `push` and `next_frame`.
        """
        self.push(chunk)
        return list(iter(self.next_frame, None))

    def push(self, chunk: bytes) -> None:
        """Add input. Take all frames before the next push, or the buffer grows.

        Raises LocalMisuse once the parser is closed.
        """
        if self._closed:
            raise LocalMisuse("the STOMP parser is closed and takes no more input")
        rest = self._buffer[self._position :]
        self._buffer = rest + chunk if rest else chunk
        self._position = 0

    def next_frame(self) -> Frame | None:
        """The next complete frame, or None until more input comes.

        Raises MalformedFrame, UnknownCommand, InvalidUtf8, UndefinedEscape, FrameTooLarge,
        TooManyHeaders or HeaderTooLong, with the `receipt_id` if that was read; the parser is
        closed then.
        """
        if self._head is None:
            if not self._at_frame():
                return None
            frame = self._whole_frame()
            if frame is not None:
                return frame
            self._head = Head(self.version, self._limits)
        try:
            return self._continue_frame(self._head)
        except StompError as error:
            error.receipt_id = self._head.headers.get("receipt")
            self.close()
            raise

    def close(self) -> None:
        """Forget the input and refuse more of it."""
        self._closed = True
        self._drop_buffer()

    def _at_frame(self) -> bool:
        """Skip line ends; whether something is left that may be a frame."""
        if line_ends := _LINE_ENDS.match(self._buffer, self._position):
            self._position = line_ends.end()
        left = len(self._buffer) - self._position
        if left == 0:
            self._drop_buffer()  # an idle connection must not hold its last message
            return False
        return left > 1 or not self._buffer.endswith(b"\r")  # half a CR LF has to wait

    def _whole_frame(self) -> Frame | None:
        """The fast path: a plain frame that is already here in full and within all limits.

        None leaves everything as it was, for the path line by line to find the reason.
        """
        buffer, start, limits = self._buffer, self._position, self._limits
        end = buffer.find(b"\0", start)
        if end < 0 or end - start >= limits.frame_bytes:
            return None
        blank = buffer.find(b"\n\n", start, end)
        # Where the whole head is no longer than a line may be, neither is any line of it.
        if blank < 0 or blank - start > limits.header_line_bytes:
            return None
        head = plain_head(buffer[start:blank], limits)
        if head is None:
            return None
        command, headers = head
        body = buffer[blank + 2 : end]
        if "content-length" in headers and headers["content-length"] != str(len(body)):
            return None
        self._position = end + 1
        return Frame(command, headers, body)

    def _continue_frame(self, head: Head) -> Frame | None:
        while not head.complete:
            line = self._take_line()
            if line is None:
                return None
            head.add(line)
        length = head.body_length()
        body = self._take_body_to_nul() if length is None else self._take_body(length)
        if body is None:
            return None
        self._head = None
        self._taken = 0
        return Frame(head.command, head.headers, body)

    def _take_line(self) -> bytes | None:
        buffer, start, limits = self._buffer, self._position, self._limits
        end = buffer.find(b"\n", start + self._searched)
        stop = len(buffer) if end < 0 else end
        left = limits.frame_bytes - self._taken
        allowed = min(limits.header_line_bytes, left)
        # A NUL counts only where it comes before the limit does, or the error would depend on
        # how the stream was split.
        if buffer.find(b"\0", start + self._searched, min(stop, start + max(allowed, 0))) >= 0:
            raise MalformedFrame("the frame ends before the blank line after its headers")
        if stop - start > allowed:
            raise self._too_long() if allowed < left else self._too_large()
        if end < 0:
            self._searched = stop - start
            return None
        self._advance(end + 1)
        return buffer[start:end]

    def _take_body(self, length: int) -> bytes | None:
        start, end = self._position, self._position + length
        if self._taken + length >= self._limits.frame_bytes:
            raise self._too_large()
        if end >= len(self._buffer):
            return None
        if self._buffer[end] != 0:
            raise MalformedFrame("no NUL after the body that content-length declares")
        self._advance(end + 1)
        return self._buffer[start:end]

    def _take_body_to_nul(self) -> bytes | None:
        start = self._position
        end = self._buffer.find(b"\0", start + self._searched)
        stop = len(self._buffer) if end < 0 else end
        if self._taken + stop - start >= self._limits.frame_bytes:
            raise self._too_large()
        if end < 0:
            self._searched = stop - start
            return None
        self._advance(end + 1)
        return self._buffer[start:end]

    def _advance(self, position: int) -> None:
        self._taken += position - self._position
        self._position = position
        self._searched = 0

    def _drop_buffer(self) -> None:
        self._buffer = b""
        self._position = 0

    def _too_large(self) -> FrameTooLarge:
        return FrameTooLarge(f"a frame may have {self._limits.frame_bytes} bytes")

    def _too_long(self) -> HeaderTooLong:
        return HeaderTooLong(f"a header line may have {self._limits.header_line_bytes} bytes")
