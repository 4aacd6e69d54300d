"""From aiohttp's handshake to a protocol of our own on the same transport.

aiohttp would keep two tasks, a parser, and the request with its headers in three forms for as long
as a WebSocket is open: 5 KiB for each. It is told that the connection is lost, as when a client
leaves, and lets go of all of that; the transport goes on under its new protocol.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, cast

from aiohttp import hdrs, web
from websockets.exceptions import InvalidHeader

from allibe_gateway.deflate import agreed_on

if TYPE_CHECKING:
    from aiohttp.http import WebSocketReader

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def answer_to(
    request: web.Request, subprotocols: tuple[str, ...], *, compression: bool = False
) -> web.StreamResponse:
    """Return the answer to a handshake (RFC 6455 §4.2.2), which the handler is to return too.

    The first of the client's subprotocols that is among ours is agreed on, and with `compression`
    the first of its offers of permessage-deflate that all connections can share. Raises
    `web.HTTPBadRequest`.
    """
    ready = _negotiation(subprotocols).can_prepare(request)
    if not ready:
        raise web.HTTPBadRequest
    key = request.headers[hdrs.SEC_WEBSOCKET_KEY].encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()  # noqa: S324 - §1.3
    headers = {
        hdrs.UPGRADE: "websocket",
        hdrs.CONNECTION: "upgrade",
        hdrs.SEC_WEBSOCKET_ACCEPT: accept,
    }
    if ready.protocol is not None:
        headers[hdrs.SEC_WEBSOCKET_PROTOCOL] = ready.protocol
    if compression and (agreed := _extension(request)) is not None:
        headers[hdrs.SEC_WEBSOCKET_EXTENSIONS] = agreed
    return web.StreamResponse(status=101, headers=headers)


@cache
def _negotiation(subprotocols: tuple[str, ...]) -> web.WebSocketResponse:
    """Return what only looks at handshakes, and so is the same for all."""
    return web.WebSocketResponse(protocols=subprotocols)


def deflated(answer: web.StreamResponse) -> bool:
    """Tell whether permessage-deflate was agreed on, the one extension there is."""
    return hdrs.SEC_WEBSOCKET_EXTENSIONS in answer.headers


def _extension(request: web.Request) -> str | None:
    try:
        return agreed_on(request.headers.getall(hdrs.SEC_WEBSOCKET_EXTENSIONS, ()))
    except InvalidHeader:
        raise web.HTTPBadRequest from None


def take_over(
    request: web.Request, transport: asyncio.Transport, protocol: asyncio.Protocol
) -> None:
    """Make `protocol` the one of the request's transport; aiohttp knows nothing of it any more.

    What the client has sent behind its handshake is received at once. `connection_made` is not
    called.
    """
    handler = request.protocol
    transport.set_protocol(protocol)
    # What takes the place of aiohttp's own parser is fed with what came too early.
    handler.set_parser(cast("WebSocketReader", _Early(protocol.data_received)))
    handler.transport = None  # or it would be closed
    handler.connection_lost(None)


class _Early:
    """Hands on what came behind a handshake."""

    def __init__(self, feed: Callable[[bytes], None]) -> None:
        self.feed_data = feed

    def feed_eof(self) -> None: ...
