"""The HTTP side of SockJS under `/allibe-ws`: what receives, what sends, and what is around them.

Origins are checked before anything else, at one place: `_checked`. Every answer that a page may
read says so for the page's own origin only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from math import ceil
from typing import Protocol
from urllib.parse import parse_qs

from aiohttp import web

from allibe_gateway.doorkeeper import Doorkeeper, Place
from allibe_gateway.doors.base import Connection, Door
from allibe_gateway.doors.sockjs import pages, wire
from allibe_gateway.doors.sockjs.answer import Answer
from allibe_gateway.doors.sockjs.connection import HttpConnection
from allibe_gateway.doors.sockjs.connections import HttpConnections, NotYours, Visitor
from allibe_gateway.doors.sockjs.encodings import ENCODINGS, BadCallback, Encoding
from allibe_gateway.limits import Limits
from allibe_services.contracts import disconnects
from allibe_services.contracts.errors import AllibeError, Overloaded
from allibe_services.problems import respond
from allibe_services.telemetry import GatewayMetrics

BASE = "/allibe-ws"
SESSION = BASE + "/{server:[^/.]{1,64}}/{session:[^/.]{8,128}}"
"""Where a session is. sockjs-client's own ids have 8 characters, which is 40 bits; with fewer a
session could be guessed."""

WEBSOCKET = BASE + "/{server:[^/.]+}/{session:[^/.]+}/websocket"
"""A WebSocket is a session by itself: its id counts for nothing."""

BODY_SECONDS = 10.0
"""Time for the messages of a request to arrive."""

WRITE_SECONDS = 30.0
"""Time for a receiving client to take what it was sent, at a few kB/s."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Origins(Protocol):
    """Which pages may connect."""

    def refusal(self, request: web.BaseRequest) -> web.Response | None:
        """Return the answer to a page that may not, None for one that may."""
        ...

    def cors(self, request: web.BaseRequest, *, credentials: bool = False) -> dict[str, str]:
        """Return the headers that let the page read the answer."""
        ...


class Host(Protocol):
    """The gateway, as far as connections over HTTP need it."""

    def admit(self) -> None:
        """Raise an HTTP error while no new connection is taken."""
        ...

    def make_door(self, request: web.Request, connection: Connection) -> Door:
        """Return the door of a new connection."""
        ...

    def opened(self, connection: HttpConnection) -> None:
        """Look after a connection from now on."""
        ...

    def closed(self, connection: HttpConnection) -> None:
        """It has ended."""
        ...


class SockJs:
    """All that SockJS needs besides WebSockets, on one gateway."""

    def __init__(
        self,
        host: Host,
        origins: Origins,
        doorkeeper: Doorkeeper,
        limits: Limits,
        metrics: GatewayMetrics,
        client_url: str = pages.CLIENT_URL,
    ) -> None:
        self._host = host
        self._origins = origins
        self._doorkeeper = doorkeeper
        self._limits = limits
        self._metrics = metrics
        self._iframe = pages.IframePage(client_url)
        self._connections = HttpConnections(
            limits.sockjs_sessions, limits.sockjs_disconnect_seconds
        )

    def routes(self) -> list[web.RouteDef]:
        """Return all routes but those of WebSockets."""
        routes = [
            web.get(BASE + "/", self._greet),
            web.get(BASE + "/iframe{version:(-[^/]*)?}.html", self._frame),
            web.get(BASE + "/info", self._checked(self._info), allow_head=False),
            web.options(BASE + "/info", self._checked(partial(self._preflight, "GET"))),
            web.post(
                SESSION + "/xhr_send", self._checked(partial(self._send, _plain, _NO_CONTENT))
            ),
            web.post(SESSION + "/jsonp_send", self._checked(partial(self._send, _form, _OK))),
            web.options(SESSION + "/xhr_send", self._checked(partial(self._preflight, "POST"))),
        ]
        for one in ENCODINGS:
            path, handler = f"{SESSION}/{one.name}", partial(self._receive, one)
            routes.append(web.route(one.method, path, self._checked(handler)))
            preflight = partial(self._preflight, one.method)
            routes.append(web.options(path, self._checked(preflight)))
        return routes

    def forget(self, now: float) -> None:
        """Forget sessions that ended a while ago; `now` in loop time."""
        self._connections.forget(now)

    # Around sessions

    def _checked(self, handler: Handler) -> Handler:
        async def check(request: web.Request) -> web.StreamResponse:
            refusal = self._origins.refusal(request)
            return refusal if refusal is not None else await handler(request)

        return check

    def _cors(self, request: web.Request) -> dict[str, str]:
        return self._origins.cors(request, credentials=True)

    async def _greet(self, _: web.Request) -> web.Response:
        return pages.greeting()

    async def _frame(self, request: web.Request) -> web.Response:
        return self._iframe.answer(request)

    async def _info(self, request: web.Request) -> web.Response:
        return pages.info(self._cors(request))

    async def _preflight(self, method: str, request: web.Request) -> web.Response:
        headers = {
            "Access-Control-Allow-Methods": f"OPTIONS, {method}",
            "Access-Control-Max-Age": "31536000",
        }
        asked = request.headers.get("Access-Control-Request-Headers")
        if asked:
            headers["Access-Control-Allow-Headers"] = asked
        return web.Response(status=204, headers=headers | pages.CACHEABLE | self._cors(request))

    # Sending

    async def _send(
        self,
        messages_in: Callable[[web.Request, bytes], bytes],
        answer: tuple[int, str],
        request: web.Request,
    ) -> web.Response:
        headers = pages.NOT_CACHEABLE | self._cors(request)
        connection = self._find(request, headers)
        if connection is None or connection.closing:
            raise web.HTTPNotFound(headers=headers)
        async with connection.reading:
            body = messages_in(request, await self._body(request, headers))
            if not body:
                return _refused("Payload expected.", headers)
            try:
                messages = wire.messages_of(body)
            except wire.BrokenMessages:
                return _refused("Broken JSON encoding.", headers)
            await asyncio.sleep(await connection.receive(messages, len(body)))
        status, text = answer
        return web.Response(
            status=status, text=text, content_type="text/plain", charset="UTF-8", headers=headers
        )

    async def _body(self, request: web.Request, headers: dict[str, str]) -> bytes:
        most, body = self._limits.websocket_message_bytes, bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > most:
                        raise web.HTTPRequestEntityTooLarge(most, len(body), headers=headers)
        except TimeoutError:
            raise web.HTTPRequestTimeout(headers=headers) from None
        except (web.RequestPayloadError, ConnectionError):
            raise web.HTTPBadRequest(headers=headers) from None
        return bytes(body)

    # Receiving

    async def _receive(self, encoding: Encoding, request: web.Request) -> web.StreamResponse:
        headers = pages.NOT_CACHEABLE | self._cors(request)
        try:
            callback = encoding.callback(request.query.get("c"))
            connection = self._find(request, headers) or await self._open(request)
        except BadCallback as error:
            return _refused(str(error), headers)
        except AllibeError as error:
            return respond(error, headers)
        transport = request.transport
        if transport is None:  # it vanished
            return web.Response()
        answer = Answer(encoding, callback, headers, request)
        if not connection.attach(transport):
            await answer.one(wire.ANOTHER_RECEIVER)
            return answer.response
        try:
            async with asyncio.timeout(None) as limit:
                await self._hand_out(connection, answer, limit)
        except TimeoutError:
            connection.disconnect(disconnects.SLOW_CONSUMER)
            connection.lose()
            transport.abort()
        except ConnectionError:
            connection.lose()
        except BaseException:
            connection.lose()
            raise
        return answer.response

    async def _hand_out(
        self, connection: HttpConnection, answer: Answer, limit: asyncio.Timeout
    ) -> None:
        """Write frames until the answer is long enough, or the connection is over."""
        loop = asyncio.get_running_loop()
        most = self._limits.sockjs_response_bytes if answer.encoding.streams else 0
        if answer.encoding.streams:
            await answer.begin()
        while True:
            limit.reschedule(None)
            frame = await connection.next_frame()
            limit.reschedule(loop.time() + WRITE_SECONDS)
            if answer.encoding.streams:
                await answer.write(frame)
            if answer.written >= most or connection.silent or connection.has_ended(frame):
                # Before its end is seen: the next request may come at once.
                connection.detach()
                await (answer.end() if answer.encoding.streams else answer.one(frame))
                return

    # Sessions

    def _find(self, request: web.Request, headers: dict[str, str]) -> HttpConnection | None:
        try:
            return self._connections.find(request.match_info["session"], _visitor(request))
        except NotYours:
            raise web.HTTPNotFound(headers=headers) from None

    async def _open(self, request: web.Request) -> HttpConnection:
        """Return a new connection. Raises the `AllibeError` why there can be none."""
        self._host.admit()
        if self._connections.full:
            self._metrics.errors.labels(Overloaded.code).inc()
            raise Overloaded(retry_after_ms=ceil(self._limits.sockjs_disconnect_seconds * 1000))
        session_id, place = request.match_info["session"], self._doorkeeper.enter(request)
        if place.refusal is not None and not place.tells:
            self._doorkeeper.leave(place)
            raise place.refusal
        connection = HttpConnection(
            self._limits,
            self._metrics,
            self._doorkeeper.inbound(),
            partial(self._ended, session_id, place),
        )
        self._connections.add(session_id, _visitor(request), connection)
        connection.door = self._host.make_door(request, connection)
        self._host.opened(connection)
        if place.refusal is not None:
            connection.door.fail(place.refusal)
        elif (opening := connection.door.open()) is not None:
            await opening
        return connection

    def _ended(self, session_id: str, place: Place, connection: HttpConnection) -> None:
        self._doorkeeper.leave(place)
        if place.refusal is None:
            self._connections.ended(session_id)
        else:  # as many as are told at a time, and no more
            self._connections.drop(session_id)
        self._host.closed(connection)


_NO_CONTENT = (204, "")
_OK = (200, "ok")
"""What to answer to messages: some browsers show something odd for 204 in a form's frame."""


def _plain(_: web.Request, body: bytes) -> bytes:
    return body


def _form(request: web.Request, body: bytes) -> bytes:
    """Return what the field `d` of a form holds, or the body itself if it is none."""
    if request.content_type != "application/x-www-form-urlencoded":
        return body
    try:
        fields = parse_qs(body.decode(), max_num_fields=8)
    except (UnicodeDecodeError, ValueError):
        return b""
    return fields.get("d", [""])[0].encode()


def _refused(text: str, headers: dict[str, str]) -> web.Response:
    return web.Response(status=500, text=text, content_type="text/plain", headers=headers)


def _visitor(request: web.Request) -> Visitor:
    query = request.query
    credential = request.headers.get("Authorization") or query.get("token") or query.get("ticket")
    origin = request.headers.get("Origin")
    return Visitor(
        request.match_info["server"],
        hash(credential) if credential else 0,
        None if origin == "null" else origin,
    )
