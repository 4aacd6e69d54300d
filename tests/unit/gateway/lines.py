"""WebSocket connections over fakes: what comes, what was answered, how they were closed."""

import asyncio
import errno
from typing import cast

from prometheus_client import CollectorRegistry

from allibe_gateway.connection import WebSocketConnection
from allibe_gateway.doors.base import disconnect_for
from allibe_gateway.fanout.backlogs import Backlogs
from allibe_gateway.inbound import Inbound
from allibe_gateway.limits import Limits
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.ids import UserId
from allibe_services.rates.limiter import Limiter, unlimited
from allibe_services.telemetry import GatewayMetrics
from tests.support.raw_socket import CLOSE, TEXT, frame
from tests.support.until import until
from tests.unit.gateway.fakes import FakeTransport

CLOSE_HEAD = 0x88
"""First byte of a close frame."""

END = frame((1000).to_bytes(2, "big"), CLOSE)


def text(content: bytes) -> bytes:
    return frame(content, TEXT)


class Transport(FakeTransport):
    """One whose peer answers a close, and goes; what came from it is told to `protocol`."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: WebSocketConnection | None = None
        self.answers_close = True
        self._reading = True
        self.aborted = self.ended = False
        self.was_reset = False
        """Whether the peer has reset its connection, of which the loop knows nothing yet."""
        self.lingers = False
        """Whether a close waits for what its peer does not read."""
        self._closing = self._gone_told = False

    def write(self, data: bytes) -> None:
        assert not self.ended
        super().write(data)
        if data[0] == CLOSE_HEAD and self.answers_close:
            asyncio.get_running_loop().call_soon(self._receive, END)

    def get_extra_info(self, _: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self._closing or self.gone

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True

    def is_reading(self) -> bool:
        return self._reading

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self.was_reset:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        self.ended = True
        asyncio.get_running_loop().call_soon(self.close)

    def close(self) -> None:
        self._closing = True
        if not self.lingers:
            self._go()

    def abort(self) -> None:
        self.aborted = self._closing = True
        self._go()

    def _go(self) -> None:
        if not self._gone_told:
            self._gone_told = True
            asyncio.get_running_loop().call_soon(self._lose)

    def _receive(self, chunk: bytes) -> None:
        if self.protocol is not None and not self._closing:
            self.protocol.data_received(chunk)

    def _lose(self) -> None:
        if self.protocol is not None:
            self.protocol.connection_lost(None)


class FakeDoor:
    """A door that keeps what it gets; `busy` holds each message back until set free."""

    user: UserId | None = None

    heart_beat = b"beat"

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.failed: list[AllibeError] = []
        self.line: WebSocketConnection | None = None
        self.error: BaseException | None = None
        self.opening_error: Exception | None = None
        self.closing_error: Exception | None = None
        self.hints: list[int] = []
        self.closed = 0
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.free = asyncio.Event()
        self.free.set()
        self.unsettled = asyncio.Event()
        self.unsettled.set()

    async def open(self) -> None:
        await self.may_open.wait()
        if self.opening_error is not None:
            raise self.opening_error

    async def receive(self, chunk: bytes) -> int:
        self.received.append(chunk)
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return 1

    def fail(self, error: AllibeError) -> None:
        self.failed.append(error)
        if self.line is not None:
            self.line.disconnect(disconnect_for(error))

    def hint(self, in_ms: int) -> bool:
        self.hints.append(in_ms)
        return True

    async def settled(self) -> None:
        await self.unsettled.wait()

    async def close(self) -> None:
        self.closed += 1
        if self.closing_error is not None:
            raise self.closing_error


class Line:
    """A connection over fakes."""

    def __init__(
        self,
        limits: Limits | None = None,
        limiter: Limiter | None = None,
        *,
        deflated: bool = False,
    ) -> None:
        self.transport = Transport()
        self.registry = CollectorRegistry()
        self.ended = False
        self.it = WebSocketConnection(
            cast(asyncio.Transport, self.transport),
            limits or Limits(close_seconds=0.01, slow_consumer_bytes=10),
            GatewayMetrics(self.registry),
            Inbound(limiter or unlimited()),
            Backlogs(),
            self._end,
            deflated=deflated,
        )
        self.transport.protocol = self.it
        self.door = FakeDoor()
        self.door.line = self.it

    def begin(self, refusal: AllibeError | None = None) -> None:
        self.it.begin(self.door, refusal)

    def hear(self, *frames: bytes) -> None:
        """Let them come, each by itself."""
        for one in frames:
            self.it.data_received(one)

    def lose(self) -> None:
        """Let the peer be gone."""
        self.transport.close()

    async def end(self) -> None:
        """Return when it has ended."""
        await until(lambda: self.ended)

    @property
    def written(self) -> list[bytes]:
        """Return what came out before the close."""
        return [one for one in self.transport.written if one[0] != CLOSE_HEAD]

    @property
    def closed(self) -> list[tuple[int, bytes]]:
        """Return codes and reasons of the close frames that came out."""
        closes = [one for one in self.transport.written if one[0] == CLOSE_HEAD]
        return [(int.from_bytes(one[2:4], "big"), one[4:]) for one in closes]

    def _end(self, it: WebSocketConnection) -> None:
        assert it is self.it
        assert not self.ended
        self.ended = True
