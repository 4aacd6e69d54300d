"""One STOMP 1.2 connection over aiohttp's WebSocket client: frames both ways, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import ClientWebSocketResponse, ClientWSTimeout, WSMsgType
from yarl import URL

from allibe_gateway.stomp import HEART_BEAT, Frame, FrameParser, HeartBeat, StompError, Version
from allibe_gateway.stomp import encode as encode_frame
from allibe_gateway.stomp.limits import Limits
from allibe_gateway.stomp.negotiation import negotiate_heart_beat
from allibe_services.contracts import disconnects
from allibe_standalone.terminal import frames
from allibe_standalone.terminal.api import unreachable
from allibe_standalone.terminal.endings import (
    CONNECTION_LOST,
    NO_ANSWER,
    SILENCE,
    CannotChat,
    Lost,
    disconnect_of,
)

PATH = "allibe-ws"
SUBPROTOCOL = "v12.stomp"
VERSION = Version.V1_2

CONNECT_SECONDS = 10.0
"""Time for TCP, TLS and the handshake, and again for CONNECTED."""

SEND_SECONDS = 10.0
"""Time for the socket to take a frame; a server that reads nothing for so long is lost."""

CLOSE_SECONDS = 2.0
"""Time for the server to answer our close."""

HEART_BEAT_MS = (10_000, 10_000)
"""What this client offers to send and wants to get."""

SILENT_INTERVALS = 3
"""Heart-beat intervals of silence after which the server is gone, as the server counts them."""

_LIMITS = Limits(frame_bytes=256 * 1024)
_NO_BEATS = HeartBeat(0, 0)
_RETRYABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class Link:
    """A connection. `ready` is for its owner: whether the room is subscribed to."""

    def __init__(self, socket: ClientWebSocketResponse, host: str) -> None:
        self.ready = False
        self._host = host
        self._socket = socket
        self._parser = FrameParser(_LIMITS)
        self._beats = _NO_BEATS
        self._said = ""

    @property
    def beat_seconds(self) -> float | None:
        """How often to call `beat`; None for never."""
        return self._beats.send_ms / 1000 or None

    async def sign_in(self, token: str) -> str:
        """CONNECT; return the name that the server knows the user by. Raises as `next_frame`."""
        version = str(VERSION)
        await self.send(
            frames.connect(host=self._host, token=token, version=version, heart_beat=HEART_BEAT_MS)
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                answer = await self.next_frame()
        except TimeoutError:
            raise Lost(NO_ANSWER) from None
        if answer.command != "CONNECTED" or answer.headers.get("version") != version:
            raise _not_stomp()
        self._parser.version = VERSION
        self._beats = _negotiated(answer)
        return answer.headers.get("user-name", "")

    async def send(self, frame: Frame) -> None:
        """Write a frame. Raises `Lost`; `LocalMisuse` for what STOMP cannot carry."""
        await self._write(encode_frame(frame, VERSION))

    async def beat(self) -> None:
        """Show life. Raises `Lost`."""
        await self._write(HEART_BEAT)

    async def next_frame(self) -> Frame:
        """Return the next frame; raise `Lost` when the connection ends, with what ERROR said."""
        try:
            while (frame := self._parser.next_frame()) is None:
                self._parser.push(await self._receive())
        except StompError:
            raise _not_stomp() from None
        if frame.command != "ERROR":
            return frame
        self._said = frame.headers.get("message", "")
        return await self.next_frame()  # the close that must follow says what to do

    async def close(self) -> None:
        """Close; returns soon also when nobody answers."""
        await self._socket.close()

    async def _write(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._socket.send_str(data.decode())
        except TimeoutError:
            await self.close()
            raise Lost(NO_ANSWER) from None
        except (aiohttp.ClientError, OSError):
            raise Lost(CONNECTION_LOST) from None

    async def _receive(self) -> bytes:
        try:
            async with asyncio.timeout(self._beats.receive_ms * SILENT_INTERVALS / 1000 or None):
                message = await self._socket.receive()
        except TimeoutError:
            raise Lost(SILENCE) from None
        if message.type is WSMsgType.TEXT:
            return str(message.data).encode()
        if message.type is WSMsgType.BINARY:
            return bytes(message.data)
        # aiohttp says 1000 for a connection that ended without a close: only a close counts.
        code = message.data if message.type is WSMsgType.CLOSE else None
        raise Lost(disconnect_of(code or CONNECTION_LOST.code), self._said)


@asynccontextmanager
async def linked(session: aiohttp.ClientSession, base: URL) -> AsyncIterator[Link]:
    """Connect for as long as the context lasts. Raises `Lost`, `CannotChat`."""
    scheme = "wss" if base.scheme == "https" else "ws"
    socket = await _connect(session, base.with_scheme(scheme) / PATH)
    try:
        if socket.protocol != SUBPROTOCOL:
            raise _not_stomp()
        yield Link(socket, base.host or "")
    finally:
        await socket.close()


async def _connect(session: aiohttp.ClientSession, url: URL) -> ClientWebSocketResponse:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await session.ws_connect(
                url,
                protocols=(SUBPROTOCOL,),
                timeout=ClientWSTimeout(ws_close=CLOSE_SECONDS),
            )
    except TimeoutError:
        raise Lost(NO_ANSWER) from None
    except aiohttp.WSServerHandshakeError as error:
        if error.status in _RETRYABLE_STATUS:
            raise Lost(disconnects.UNAVAILABLE) from None
        raise _not_stomp() from None
    except (aiohttp.ClientError, OSError) as error:
        raise unreachable(url, error) from None


def _negotiated(connected: Frame) -> HeartBeat:
    try:
        return negotiate_heart_beat(connected.headers.get("heart-beat"), HEART_BEAT_MS, VERSION)
    except StompError:
        raise _not_stomp() from None


def _not_stomp() -> CannotChat:
    return CannotChat("this address does not speak STOMP 1.2 as an Allibe server does")
