"""One WebSocket: reads for its door, writes what others hand to its outbox, closes by the table."""

import asyncio
import math
from collections.abc import Callable, Coroutine

import structlog
from websockets.frames import Frame

from allibe_gateway.deflate import Inflated
from allibe_gateway.doorkeeper import Place
from allibe_gateway.doors.base import Door
from allibe_gateway.doors.connection import EARLY, ServedConnection
from allibe_gateway.fanout.backlogs import Backlogs
from allibe_gateway.inbound import LONGEST_PAUSE, Inbound, too_fast
from allibe_gateway.limits import Limits
from allibe_gateway.sockets import set_up
from allibe_gateway.websocket_frames import PING, text_frame
from allibe_gateway.websocket_input import BINARY, TEXT, Input
from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from allibe_services.contracts.errors import AllibeError
from allibe_services.telemetry import GatewayMetrics

_LOST_CLOSE = 0.25
"""Part of its interval that a silent peer has to answer the close: hardly one ever does."""

Ended = Callable[["WebSocketConnection"], None]

log = structlog.get_logger(__name__)


class WebSocketConnection(ServedConnection, asyncio.Protocol):
    """`doors.base.Connection` as the protocol of its transport, which is open already.

    `ended` is called once, when the peer has gone and the door is closed. `deflated`: it was agreed
    that messages may be compressed.

    Rules
      1. One thing at a time: open the door, hand it a message, rest, close it. Meanwhile nothing
         more is read; a task lives only as long as that, and an idle connection has none.
      2. What has come is handled before what has come after it: also before the peer's close is
         answered, and when the peer has gone meanwhile.
      3. Whoever closes, the peer has a limited time to do its part; then its socket is dropped.
    """

    framing = staticmethod(text_frame)

    __slots__ = (
        "_beats",
        "_closed_with",
        "_doing",
        "_drop_timer",
        "_ended",
        "_input",
        "_left",
        "_lost",
        "_pings",
        "_transport",
        "entrance",
        "place",
    )

    entrance: str
    """The door's name. Its gateway sets both, for when it ends."""
    place: Place

    def __init__(
        self,
        transport: asyncio.Transport,
        limits: Limits,
        metrics: GatewayMetrics,
        inbound: Inbound,
        backlogs: Backlogs,
        ended: Ended,
        *,
        deflated: bool = False,
    ) -> None:
        super().__init__(transport, limits, metrics, inbound, backlogs)
        self._transport = transport
        self._input = Input(limits.websocket_message_bytes, deflated=deflated)
        self._ended: Ended | None = ended
        self._doing: asyncio.Task[None] | asyncio.TimerHandle | None = None
        self._drop_timer: asyncio.TimerHandle | None = None
        self._closed_with: Disconnect | None = None
        self._lost = self._left = self._beats = self._pings = False
        set_up(transport)

    # What the gateway and the door see

    @property
    def closing(self) -> bool:
        """Whether the server has decided to close."""
        return self._closed_with is not None

    @property
    def unsent(self) -> int:
        """Bytes that its peer has not taken, up to the moment that its socket is dropped."""
        return self._transport.get_write_buffer_size() + self.outbox.waiting

    @property
    def deflated(self) -> bool:
        """See `doors.base.Connection`."""
        return self._input.deflated

    def begin(self, door: Door, refusal: AllibeError | None = None) -> None:
        """Serve the connection until either side closes it; one that is refused is only told."""
        self.door = door
        if refusal is not None:
            self._do(self._open(_refused(door, refusal)))
        elif (opening := door.open()) is not None:
            self._do(self._open(opening))

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
        self._note_end(reason)
        if self._input.is_open:  # else the peer was first
            self._input.send_close(reason.code, reason.reason)
        self._answer()
        self._skip()
        if isinstance(self._doing, asyncio.TimerHandle):
            self._doing.cancel()
            self._doing = None
        self._go_on()

    def abort(self) -> None:
        """Let go of the peer at once; it ends when what is being done for it has ended."""
        self._transport.abort()

    def give_up(self) -> None:
        """Interrupt what has been done for a while."""
        if isinstance(self._doing, asyncio.Task):
            self._doing.cancel()

    # What the transport tells

    def data_received(self, data: bytes) -> None:
        """Take bytes of the peer's."""
        self._input.feed(data)
        if self._closed_with is not None:
            self._skip()
        elif self._doing is not None:
            self._transport.pause_reading()
        else:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, after what had come before."""
        self._lost = True
        self.outbox.clear()
        self.outbox.close()
        if self._drop_timer is not None:
            self._drop_timer.cancel()
        self._go_on()

    # Details

    def _busy(self) -> bool:
        return False  # `_last_in` is infinite meanwhile

    def _heart_beat(self, door: Door) -> bytes:
        beat = door.heart_beat if self._beats else b""
        return beat + PING if self._pings else beat

    def _drop(self) -> None:
        self.abort()

    def _go_on(self) -> None:
        """Do what is next, unless something is being done: then it comes here again."""
        if self._doing is not None:
            return
        if (message := self._next()) is not None:
            self._do(self._take_all(message))
            return
        is_open = self._input.is_open
        if not is_open:
            self._answer()
        if is_open and not self._lost:
            self._last_in = self._loop.time()
            self._transport.resume_reading()
        elif not self._left:
            self._left = True
            self._do(self._leave())
        elif self._lost and self._ended is not None:
            ended, self._ended = self._ended, None
            ended(self)

    def _next(self) -> Frame | None:
        return self._input.next() if self._closed_with is None else None

    def _do(self, work: Coroutine[None, None, None]) -> None:
        self._last_in = math.inf  # while we do not read, its silence is ours
        self._doing = self._loop.create_task(work, name="connection")

    async def _open(self, opening: Coroutine[None, None, None]) -> None:
        try:
            await opening
        except Exception as error:
            self._fail(error)
        finally:
            self._done()

    async def _take_all(self, first: Frame) -> None:
        """Handle what has come, up to where it has to rest.

        All in a row: what comes together is stored and shown together.
        """
        message: Frame | None = first
        pause = 0.0
        try:
            while message is not None and not pause:
                size, frames = len(message.data), 0
                if isinstance(message, Inflated):
                    size = max(size, message.came)
                if message.opcode is TEXT or message.opcode is BINARY:
                    frames = await self._take(message)
                elif self._input.is_open:  # else a pong would have the answer to a close behind it
                    self._answer()
                pause = self._inbound.pause(frames, size)
                message = None if pause else self._next()
        except Exception as error:
            self._fail(error)
        finally:
            self._done(pause)

    async def _take(self, message: Frame) -> int:
        """Hand a message to the door; return how many frames it held."""
        content = bytes(message.data)  # which is no copy
        if message.opcode is TEXT and not _is_text(content):
            self.disconnect(disconnects.INVALID_TEXT)
        elif self.door is not None and not self._draining:
            return await self.door.receive(content)
        return 0

    async def _leave(self) -> None:
        try:
            if self.door is not None:
                await self.door.close()
        except Exception as error:
            self._fail(error)
        finally:
            self._done()

    def _fail(self, error: Exception) -> None:
        log.error("connection_failed", connection=self.id, user=self.user, exc_info=error)
        self.disconnect(disconnects.INTERNAL_ERROR)

    def _done(self, pause: float = 0.0) -> None:
        self._doing = None
        if pause:
            self._rest(pause)
        self._go_on()

    def _rest(self, seconds: float) -> None:
        """Read nothing for so long, so that the peer's network holds it back; a close ends it."""
        if self.closing or self._lost:
            return
        if seconds > LONGEST_PAUSE and self.door is not None:
            self.door.fail(too_fast(seconds))
        else:
            self._transport.pause_reading()
            self._doing = self._loop.call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._doing = None
        self._go_on()

    def _answer(self) -> None:
        """Write what the protocol has to say, behind all that was written before."""
        answers = self._input.data_to_send()
        if not self._input.is_open:
            self.outbox.close()
        for answer in answers:
            if self._transport.is_closing():
                return
            if not answer:
                self._end_stream()
            elif self._input.is_open:
                self.outbox.write(answer)
            else:
                self._transport.write(answer)
        if not self._input.is_open and self._drop_timer is None and not self._lost:
            self._drop_timer = self._loop.call_later(self._close_seconds(), self.abort)
            self._transport.resume_reading()  # up to the peer's close

    def _end_stream(self) -> None:
        """Close, or only say that nothing more comes to who has broken a rule: with input unread,
        a socket resets, and the peer might never see why."""
        if self._input.close_rcvd is not None or not self._transport.can_write_eof():
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # it has reset its connection, and the loop has not read that yet
            self._transport.abort()

    def _skip(self) -> None:
        """Read on, up to the peer's close, and handle nothing."""
        self._input.skip()
        self._answer()

    def _close_seconds(self) -> float:
        most = self._limits.close_seconds
        if self._closed_with is not disconnects.HEARTBEAT_LOST:
            return most
        return min(most, _LOST_CLOSE * self._receive_within / self._limits.silent_intervals)


async def _refused(door: Door, refusal: AllibeError) -> None:
    door.fail(refusal)


def _is_text(content: bytes) -> bool:
    """Tell whether it is UTF-8, as RFC 6455 §8.1 asks for."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
