"""WebSocket connections over fakes: what comes, what was answered, how they were closed."""

import asyncio
from typing import cast

from aiohttp import WSMessage, WSMsgType, web
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
from tests.unit.gateway.fakes import FakeTransport

END = WSMessage(WSMsgType.CLOSE, 1000, "")


def text(content: bytes) -> WSMessage:
    return WSMessage(WSMsgType.TEXT, content, "")


class FakeWebSocket:
    """An aiohttp WebSocket: what comes, what was answered, how it was closed."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[WSMessage | Exception] = asyncio.Queue()
        self.closed: list[tuple[int, bytes]] = []
        self.pongs: list[bytes] = []
        self.answers_close = True
        self.gone = False

    async def receive(self) -> WSMessage:
        message = await self.incoming.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def pong(self, content: bytes) -> None:
        if self.gone:
            raise ConnectionResetError("Cannot write to closing transport")
        self.pongs.append(content)

    async def close(self, *, code: int, message: bytes) -> None:
        self.closed.append((code, message))
        self.incoming.put_nowait(WSMessage(WSMsgType.CLOSING, None, None))
        if self.gone:
            raise ConnectionResetError
        if not self.answers_close:
            await asyncio.Event().wait()


class Transport(FakeTransport):
    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def get_extra_info(self, _: str) -> None:
        return None

    def abort(self) -> None:
        self.aborted = True


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
        self.hints: list[int] = []
        self.closed = 0
        self.free = asyncio.Event()
        self.free.set()
        self.unsettled = asyncio.Event()
        self.unsettled.set()

    async def open(self) -> None:
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


class Line:
    """A connection over fakes, running."""

    def __init__(self, limits: Limits | None = None, limiter: Limiter | None = None) -> None:
        self.web_socket = FakeWebSocket()
        self.transport = Transport()
        self.registry = CollectorRegistry()
        self.it = WebSocketConnection(
            cast(web.WebSocketResponse, self.web_socket),
            cast(asyncio.Transport, self.transport),
            limits or Limits(close_seconds=0.01, slow_consumer_bytes=10),
            GatewayMetrics(self.registry),
            Inbound(limiter or unlimited()),
            Backlogs(),
        )
        self.door = FakeDoor()
        self.door.line = self.it
        self.task: asyncio.Task[None] | None = None

    def run(self) -> "asyncio.Task[None]":
        self.task = asyncio.create_task(self.it.run(self.door))
        return self.task

    def hear(self, *messages: WSMessage | Exception) -> None:
        for message in messages:
            self.web_socket.incoming.put_nowait(message)
