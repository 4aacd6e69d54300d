"""A SockJS session over HTTP requests, which its door sees as a connection.

Rules
  1. One request at a time receives frames. One that breaks ends the session: what was under way
     may be lost, and a subscriber's stream has no holes. So does the time without one.
  2. What waits for the next request is bounded as the unsent bytes of a WebSocket are.
  3. Once closed, every request that comes within the delay is told why, and nothing else.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

from allibe_gateway.doors.base import Door
from allibe_gateway.doors.connection import EARLY, ServedConnection
from allibe_gateway.doors.sockjs import wire
from allibe_gateway.doors.sockjs.websocket import hand_over
from allibe_gateway.inbound import LONGEST_PAUSE, Inbound, too_fast
from allibe_gateway.limits import Limits
from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from allibe_services.telemetry import GatewayMetrics

FRAME_BYTES = 64 * 1024
"""Bytes after which a frame takes no further message: an answer ends soon after its limit."""

log = structlog.get_logger(__name__)


class Peer(Protocol):
    """The part of an asyncio transport that a receiving request has to do with."""

    def get_write_buffer_size(self) -> int: ...

    def is_closing(self) -> bool: ...

    def abort(self) -> None: ...


class HttpConnection(ServedConnection):
    """`doors.base.Connection` over requests. `ended` is called once, when the door is closed and
    the client was told, or did not come to be told."""

    framing = staticmethod(wire.quoted)

    def __init__(
        self,
        limits: Limits,
        metrics: GatewayMetrics,
        inbound: Inbound,
        ended: Callable[["HttpConnection"], None],
    ) -> None:
        super().__init__(self, limits, metrics, inbound)
        self.reading = asyncio.Lock()
        """Held while a request's messages are read: their order, and a bound of their memory."""
        self._ended = ended
        self._handling = asyncio.Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._peer: Peer | None = None
        self._woken: asyncio.Future[None] | None = None
        self._opened = False
        self._beat_due = False
        self._farewell: bytes | None = None
        self._told = asyncio.Event()
        self._alone_since = self._last_out = self._last_in

    # What the door sees

    @property
    def closing(self) -> bool:
        """Whether it is over, by either side."""
        return self._farewell is not None

    def expect_heart_beats(self, *, send_seconds: float, receive_seconds: float) -> None:
        """See `doors.base.Connection`. A request is a sign of life, whatever it asks for."""
        self._send_every = send_seconds
        self._next_out = self._loop.time() + EARLY * send_seconds
        self._receive_within = receive_seconds * self._limits.silent_intervals

    def disconnect(self, reason: Disconnect) -> None:
        """Close once; what was written before reaches the client before the reason does."""
        if not self.closing:
            self._note_end(reason)
            self._end(wire.close_frame(reason))

    # What the outbox sees (`fanout.outbox.Transport`)

    def write(self, data: bytes) -> None:
        """Let finished members wait for the request that receives."""
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._wake()

    def get_write_buffer_size(self) -> int:
        """Return the bytes that wait here, and those that the request has not sent."""
        sending = self._peer.get_write_buffer_size() if self._peer is not None else 0
        return self._waiting_bytes + sending

    # Requests that send

    async def receive(self, messages: list[bytes], size: int) -> float:
        """Hand the messages of a body of so many bytes to the door, after those of others before.

        Return for how many seconds to read no more: as a WebSocket, too fast a client is held back.
        """
        pause = 0.0
        async with self._handling:
            if self.door is None or self.closing or self._draining:
                return pause
            try:
                frames = await hand_over(messages, self.door, self)
                pause = self._inbound.pause(frames, size)
                if pause > LONGEST_PAUSE:
                    self.door.fail(too_fast(pause))
            except Exception:
                log.exception("connection_failed", connection=self.id, user=self.user)
                self.disconnect(disconnects.INTERNAL_ERROR)
            finally:
                self._last_in = self._loop.time()
        return 0.0 if self.closing else pause

    # Requests that receive

    def attach(self, peer: Peer) -> bool:
        """Begin to receive; False while another request does."""
        if self._peer is not None and self._peer.is_closing():
            self.lose()
        if self._peer is not None:
            return False
        self._peer = peer
        self._last_in = self._last_out = self._loop.time()
        return True

    def has_ended(self, frame: bytes) -> bool:
        """Tell whether a frame of `next_frame` is the last one."""
        return frame is self._farewell

    @property
    def silent(self) -> bool:
        """Whether no request has come for so long that the client should be made to send one.

        One that has vanished takes a stream's frames, for as long as the kernel repeats them.
        """
        return self._loop.time() - self._last_in >= 2 * self._limits.sockjs_heart_beat_seconds

    def detach(self) -> None:
        """End receiving in order: the client has, or is about to have, all that was taken."""
        self._peer = None
        self._alone_since = self._loop.time()

    def lose(self) -> None:
        """End receiving otherwise: the session is over."""
        self._peer = None
        if not self.closing:
            self._waiting.clear()
            self._waiting_bytes = 0
            self._told.set()
            self._end(wire.INTERRUPTED)

    async def next_frame(self) -> bytes:
        """Return the next frame, when there is one; after the closing one, that one again."""
        while True:
            self._last_out = self._loop.time()
            if not self._opened:
                self._opened = True
                return wire.OPEN
            if self._waiting:
                return self._take()
            if self._farewell is not None:
                self._told.set()
                return self._farewell
            if self._beat_due:
                self._beat_due = False
                return wire.HEART_BEAT
            self._woken = self._loop.create_future()
            await self._woken  # until `beat` at the latest

    # What the gateway sees

    def beat(self, now: float) -> None:
        """Send heart-beats that are due, miss the client's; `now` in loop time."""
        if self.closing:
            return
        if self._peer is None:
            if now - self._alone_since >= self._limits.sockjs_disconnect_seconds:
                self.lose()
        elif self._peer.is_closing():
            self.lose()
        elif now - self._last_out >= self._limits.sockjs_heart_beat_seconds:
            self._beat_due = True
            self._wake()
        super().beat(now)

    @property
    def unsent(self) -> int:
        """As of a WebSocket."""
        return self.get_write_buffer_size()

    # Details

    def _busy(self) -> bool:
        return self._handling.locked()  # a request waits for its answer

    def _heart_beat(self, door: Door) -> bytes:
        return door.heart_beat

    def _drop(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        if self._peer is not None:
            self._peer.abort()

    def _take(self) -> bytes:
        members = [self._waiting.popleft()]
        size = len(members[0])
        while self._waiting and size < FRAME_BYTES:
            members.append(self._waiting.popleft())
            size += len(members[-1])
        self._waiting_bytes -= size
        self._beat_due = False
        return wire.message_frame(b"".join(members))

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _end(self, farewell: bytes) -> None:
        self._farewell = farewell
        self.outbox.close()
        self._wake()
        self._closer = asyncio.create_task(self._close(), name="close-connection")

    async def _close(self) -> None:
        """Close the door, after what it is busy with; then wait for the client to be told."""
        async with self._handling:
            if self.door is not None:
                await self.door.close()
        try:
            async with asyncio.timeout(self._limits.close_seconds):
                await self._told.wait()
        except TimeoutError:
            # One that does not read would keep what it was sent here for ever.
            if self._peer is not None:
                self._peer.abort()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._ended(self)
