"""One WebSocket: reads for its door, writes what others hand to its outbox, closes by the table."""

import asyncio
import math
import socket
from contextlib import suppress

import structlog
from aiohttp import WSMessage, WSMsgType, web

from allibe_gateway.doors.base import Door
from allibe_gateway.doors.connection import EARLY, ServedConnection
from allibe_gateway.fanout.backlogs import Backlogs
from allibe_gateway.inbound import LONGEST_PAUSE, Inbound, too_fast
from allibe_gateway.limits import Limits
from allibe_gateway.websocket_frames import PING, text_frame
from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from allibe_services.contracts.errors import AllibeError
from allibe_services.telemetry import GatewayMetrics

KEEPALIVE_IDLE_SECONDS = 60
KEEPALIVE_INTERVAL_SECONDS = 15
KEEPALIVE_PROBES = 4
"""A peer that vanished without heart-beats is found by the kernel after two minutes."""

KERNEL_BYTES = 32 * 1024
"""Bytes of a connection that wait in the kernel, besides those under way. It would else take up to
4 MiB (Linux): memory of the container too, and nothing that our bounds know of."""

_LOST_CLOSE = 0.25
"""Part of its interval that a silent peer has to answer the close: hardly one ever does."""

log = structlog.get_logger(__name__)


class WebSocketConnection(ServedConnection):
    """`doors.base.Connection` over aiohttp. One reading task; writes go past aiohttp's writer."""

    framing = staticmethod(text_frame)

    __slots__ = (
        "_beats",
        "_closed_with",
        "_interrupted",
        "_pings",
        "_runner",
        "_transport",
        "_waits",
        "_web_socket",
    )

    def __init__(
        self,
        web_socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        limits: Limits,
        metrics: GatewayMetrics,
        inbound: Inbound,
        backlogs: Backlogs,
    ) -> None:
        super().__init__(transport, limits, metrics, inbound, backlogs)
        self._web_socket = web_socket
        self._transport = transport
        self._closed_with: Disconnect | None = None
        self._runner: asyncio.Task[None] | None = None
        self._waits = False
        self._interrupted = False
        self._beats = False
        self._pings = False
        _set_up(transport)

    @property
    def closing(self) -> bool:
        """Whether the server has decided to close."""
        return self._closed_with is not None

    @property
    def unsent(self) -> int:
        """Bytes that its peer has not taken, up to the moment that its socket is dropped."""
        return self._transport.get_write_buffer_size() + self.outbox.waiting

    async def run(self, door: Door, refusal: AllibeError | None = None) -> None:
        """Serve the connection until either side closes it; one that is refused is only told."""
        self.door = door
        self._runner = asyncio.current_task()
        try:
            if refusal is None:
                await door.open()
            else:
                door.fail(refusal)
            # No local keeps the message: an idle connection must not hold its last one.
            while self._goes_on() and await self._take(await self._web_socket.receive()):
                pass
        except asyncio.CancelledError:
            if not self._interrupted or (self._runner is not None and self._runner.uncancel()):
                raise
        except Exception:
            log.exception("connection_failed", connection=self.id, user=self.user)
            self.disconnect(disconnects.INTERNAL_ERROR)
        finally:
            self._waits, self._runner = False, None
            self.outbox.close()
            await door.close()
            if self._closer is not None:
                await self._closer

    def expect_heart_beats(self, *, send_seconds: float, receive_seconds: float) -> None:
        """See `doors.base.Connection`. Who promises nothing, or less than we want, is pinged, and
        has to answer that (RFC 6455 §5.5.2): so it is known who is there, and no proxy sees an idle
        connection.
        """
        own = self._limits.heart_beat_seconds
        self._beats = send_seconds > 0
        self._pings = not 0 < receive_seconds <= own
        self._send_every = own if self._pings else send_seconds
        self._next_out = self._loop.time() + EARLY * self._send_every
        silence = own if self._pings else receive_seconds
        self._receive_within = silence * self._limits.silent_intervals

    def disconnect(self, reason: Disconnect) -> None:
        """Close once, after what was written; nothing is written any more."""
        if self._closed_with is not None:
            return
        self._closed_with = reason
        self.outbox.close()
        self._note_end(reason)
        self._interrupt()
        self._closer = asyncio.create_task(self._close(reason), name="close-connection")

    def _busy(self) -> bool:
        return False  # `_last_in` is infinite meanwhile

    def _heart_beat(self, door: Door) -> bytes:
        beat = door.heart_beat if self._beats else b""
        return beat + PING if self._pings else beat

    def _drop(self) -> None:
        self._transport.abort()

    def _goes_on(self) -> bool:
        self._waits = not self.closing
        return self._waits

    def _interrupt(self) -> None:
        """End the wait for the peer's next message: the close reads on, up to the peer's own.

        aiohttp would else not wait for that: what is unsent would be dropped, and what is unread
        would turn the close into a reset, so that the peer might never see why.
        """
        if self._waits and self._runner not in (None, asyncio.current_task()):
            self._interrupted = self._runner.cancel()

    async def _take(self, message: WSMessage) -> bool:
        """Handle what came; False when it was the end."""
        self._waits, frames = False, 0
        self._last_in = self._loop.time()
        if message.type is WSMsgType.TEXT and not _is_text(message.data):
            self.disconnect(disconnects.INVALID_TEXT)
        elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            if self.door is not None and not self._draining:
                self._last_in = math.inf  # while we do not read, its silence is ours
                frames = await self.door.receive(message.data)
        elif message.type is WSMsgType.PING:
            with suppress(ConnectionError):  # it has vanished: the next read says so
                await self._web_socket.pong(message.data)
        elif message.type is not WSMsgType.PONG:
            return False
        if pause := self._inbound.pause(frames, len(message.data)):
            await self._rest(pause)
        self._last_in = self._loop.time()
        return True

    async def _rest(self, seconds: float) -> None:
        """Read nothing for so long, so that the peer's network holds it back; a close ends it."""
        if seconds > LONGEST_PAUSE and self.door is not None:
            self.door.fail(too_fast(seconds))
        elif self._goes_on():
            self._last_in = math.inf
            await asyncio.sleep(seconds)
            self._waits = False

    async def _close(self, reason: Disconnect) -> None:
        try:
            async with asyncio.timeout(self._close_seconds(reason)):
                await self._web_socket.close(code=reason.code, message=reason.reason.encode())
        except (TimeoutError, ConnectionError):
            pass
        finally:
            # A peer that does not read would keep its unsent bytes here for ever.
            if self._transport.get_write_buffer_size():
                self._transport.abort()

    def _close_seconds(self, reason: Disconnect) -> float:
        most = self._limits.close_seconds
        if reason is not disconnects.HEARTBEAT_LOST:
            return most
        return min(most, _LOST_CLOSE * self._receive_within / self._limits.silent_intervals)


def _is_text(chunk: bytes) -> bool:
    """Tell whether it is UTF-8: aiohttp hands text on unread, and RFC 6455 §8.1 asks for it."""
    try:
        chunk.decode()
    except UnicodeDecodeError:
        return False
    return True


def _set_up(transport: asyncio.Transport) -> None:
    """Let the kernel find peers that vanished, and keep little for those that do not read."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, KERNEL_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
