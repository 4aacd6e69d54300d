"""A connection from its handshake to its end, over all of a gateway but sockets and a database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web
from prometheus_client import CollectorRegistry
from websockets.frames import Frame, Opcode

from allibe_gateway.app import gateway
from allibe_gateway.limits import Limits
from allibe_services.auth import TokenVerifier
from allibe_services.auth.admission import Admission
from allibe_services.auth.revoked import Revoked
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.runtime import Tasks
from allibe_services.telemetry import GatewayMetrics
from allibe_services.tickets.inprocess import InProcessTickets
from tests.unit.gateway.fakes import ROOM, FakeBus
from tests.unit.gateway.world import ALICE, SECRET, FakeStore, token

_HANDSHAKE = (
    b"GET /allibe-ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: v12.stomp\r\n\r\n"
)
_CONNECT = "CONNECT\naccept-version:1.2\nhost:h\nheart-beat:10000,10000\nAuthorization:{}\n\n\0"
_SUBSCRIBE = f"SUBSCRIBE\nid:s\ndestination:/topic/rooms/{ROOM}\nreceipt:r\n\n\0"
_CLOSE = Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True)


class Wire(asyncio.Transport):
    """A transport whose peer waits for one answer at a time."""

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._protocol = protocol
        self._answer = b""
        self._answered = asyncio.Event()
        self._closed = False
        protocol.connection_made(self)

    async def say(self, data: bytes, expected: bytes) -> None:
        """Send, and check what is in the answer."""
        self._answered.clear()
        cast("asyncio.Protocol", self._protocol).data_received(data)
        await self._answered.wait()
        assert expected in self._answer, self._answer

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._answer = bytes(data)
        self._answered.set()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            lost = cast("asyncio.Protocol", self._protocol).connection_lost
            asyncio.get_running_loop().call_soon(lost, None)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self._closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@asynccontextmanager
async def connections() -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Run a gateway; what comes lets a user connect, sign in, subscribe to a room, and go."""
    store, tasks = FakeStore(), Tasks()
    store.members.join(ROOM, ALICE)
    verifier, revoked = TokenVerifier("HS256", SECRET), Revoked(store.revocations)
    connect, subscribe = _text(_CONNECT.format(token())), _text(_SUBSCRIBE)
    async with gateway(
        bus=FakeBus(),
        store=store,
        presence=InProcessPresence(),
        admission=Admission(verifier, revoked, InProcessTickets()),
        limits=Limits(),
        metrics=GatewayMetrics(CollectorRegistry()),
        tasks=tasks,
    ) as entrance:
        app = web.Application()
        app.add_routes(entrance.routes())
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        server = cast("web.Server", runner.server)

        async def step() -> None:
            wire = Wire(server())
            await wire.say(_HANDSHAKE, b" 101 ")
            await wire.say(connect, b"CONNECTED")
            await wire.say(subscribe, b"RECEIPT")
            await wire.say(_CLOSE, b"\x88\x02\x03\xe8")
            while entrance._connections:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0)

        yield step
        await runner.cleanup()
    await tasks.close()


def _text(frame: str) -> bytes:
    return Frame(Opcode.TEXT, frame.encode()).serialize(mask=True)
