"""One STOMP 1.2 connection over aiohttp's WebSocket client, the frames for it, and how it ends.

Liveness is WebSocket's ping and pong, which aiohttp keeps: no STOMP heart-beats are offered.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiohttp import ClientWebSocketResponse, ClientWSTimeout, WSMsgType
from yarl import URL

from allibe_gateway.stomp import Frame, FrameParser, StompError, Version
from allibe_gateway.stomp import encode as encode_frame
from allibe_gateway.stomp.limits import Limits
from allibe_services.contracts import disconnects
from allibe_services.contracts.ids import Position
from allibe_standalone.terminal.api import unreachable
from allibe_standalone.terminal.endings import (
    CONNECTION_LOST,
    NO_ANSWER,
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

PING_SECONDS = 20.0
"""Silence after which the server is asked for a pong; it has half of this to give one."""

ERRORS = "/user/queue/errors"

RECONNECT_MS = "x-reconnect-ms"
"""Header of a MESSAGE to them that is no error: when this server will send us away."""

SUBSCRIBED = "room"
"""Receipt of the subscription to the room; all others but DISCONNECT's are of lines."""

_LIMITS = Limits(frame_bytes=256 * 1024)
_RETRYABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class SoftError(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a frame that the server refused without closing."""

    code: str
    message: str
    retryable: bool = False
    retry_after_ms: int | None = None
    receipt_id: str | None = None
    destination: str | None = None


class Link:
    """A connection. `ready` is for its owner: whether the room is subscribed to."""

    def __init__(self, socket: ClientWebSocketResponse, host: str) -> None:
        self.ready = False
        self._host = host
        self._socket = socket
        self._parser = FrameParser(_LIMITS)
        self._said = ""
        self._hint = ""

    async def sign_in(self, token: str) -> str:
        """CONNECT; return the name that the server knows the user by. Raises as `next_frame`.

        Soft errors are asked for: a refused line must not cost the connection.
        """
        headers = {
            "accept-version": str(VERSION),
            "host": self._host,
            "Authorization": f"Bearer {token}",
            "x-soft-errors": "true",
        }
        await self.send(Frame("CONNECT", headers))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                answer = await self.next_frame()
        except TimeoutError:
            raise Lost(NO_ANSWER) from None
        if answer.command != "CONNECTED" or answer.headers.get("version") != str(VERSION):
            raise _not_stomp()
        self._parser.version = VERSION
        return answer.headers.get("user-name", "")

    async def send(self, frame: Frame) -> None:
        """Write a frame. Raises `Lost`; `LocalMisuse` for what STOMP cannot carry."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._socket.send_str(encode_frame(frame, VERSION).decode())
        except TimeoutError:
            await self.close()
            raise Lost(NO_ANSWER) from None
        except (aiohttp.ClientError, OSError):
            raise Lost(CONNECTION_LOST) from None

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
        self._hint = frame.headers.get("x-retry-after-ms", "")
        return await self.next_frame()  # the close that must follow says what to do

    async def close(self) -> None:
        """Close; returns soon also when nobody answers."""
        await self._socket.close()

    async def _receive(self) -> bytes:
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT:
            return str(message.data).encode()
        if message.type is WSMsgType.BINARY:
            return bytes(message.data)
        if message.type is WSMsgType.ERROR and isinstance(message.data, TimeoutError):
            raise Lost(NO_ANSWER)
        # aiohttp says 1000 for a connection that ended without a close: only a close counts.
        code = message.data if message.type is WSMsgType.CLOSE else None
        raise Lost(disconnect_of(code or CONNECTION_LOST.code, self._hint), self._said)


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


def topic(room: str) -> str:
    """Return the destination of a room's log."""
    return f"/topic/rooms/{room}"


def subscribe_errors() -> Frame:
    """SUBSCRIBE to the soft errors."""
    return Frame("SUBSCRIBE", {"id": "errors", "destination": ERRORS})


def subscribe_room(room: str, since: Position) -> Frame:
    """SUBSCRIBE to a room's log from after a position."""
    where = {"id": "room", "destination": topic(room)}
    return Frame("SUBSCRIBE", where | {"x-since": str(since), "receipt": SUBSCRIBED})


def message(room: str, client_message_id: str, content: str) -> Frame:
    """SEND of a line; its receipt has the line's own id."""
    line = {"roomId": room, "content": content, "clientMessageId": client_message_id}
    body = msgspec.json.encode(line)
    headers = {
        "destination": "/app/message",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "receipt": client_message_id,
    }
    return Frame("SEND", headers, body)


def soft_error_of(frame: Frame) -> SoftError:
    """Return what a MESSAGE of the errors queue says; the bare minimum where it says it oddly."""
    try:
        return msgspec.json.decode(frame.body, type=SoftError)
    except msgspec.DecodeError:
        return SoftError("unknown", "The server refused something.")


async def _connect(session: aiohttp.ClientSession, url: URL) -> ClientWebSocketResponse:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await session.ws_connect(
                url,
                protocols=(SUBPROTOCOL,),
                timeout=ClientWSTimeout(ws_close=CLOSE_SECONDS),
                heartbeat=PING_SECONDS,
            )
    except TimeoutError:
        raise Lost(NO_ANSWER) from None
    except aiohttp.WSServerHandshakeError as error:
        if error.status in _RETRYABLE_STATUS:
            raise Lost(disconnects.UNAVAILABLE) from None
        raise _not_stomp() from None
    except (aiohttp.ClientError, OSError) as error:
        raise unreachable(url, error) from None


def _not_stomp() -> CannotChat:
    return CannotChat("this address does not speak STOMP 1.2 as an Allibe server does")
