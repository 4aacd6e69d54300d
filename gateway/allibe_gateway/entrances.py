"""Where a gateway's doors are, and how each is made from the request that knocks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from allibe_gateway.connection import WebSocketConnection
from allibe_gateway.doors.base import Connection, Door
from allibe_gateway.doors.json import JsonDoor
from allibe_gateway.doors.sockjs import transports
from allibe_gateway.doors.sockjs.websocket import SockJsDoor
from allibe_gateway.doors.stomp import StompDoor
from allibe_gateway.shared import Shared
from allibe_gateway.sockjs_websocket import SockJsWebSocket


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a door is, and how it is made from the handshake."""

    path: str
    door: str
    subprotocols: tuple[str, ...]
    make_door: Callable[[web.Request, WebSocketConnection, Shared], Door]
    make_connection: type[WebSocketConnection] = WebSocketConnection
    greets: bool = False
    """Whether a request that asks for no WebSocket gets SockJS's greeting."""


def stomp_door(request: web.Request, connection: Connection, shared: Shared) -> Door:
    """Return the STOMP door of a connection, a WebSocket or not."""
    token, ticket = _handshake_token(request), _query(request).get("ticket", "")
    return StompDoor(connection, shared, token, ticket)


def _sockjs_door(request: web.Request, connection: Connection, shared: Shared) -> Door:
    return SockJsDoor(stomp_door(request, connection, shared), connection)


def _json_door(request: web.Request, connection: WebSocketConnection, shared: Shared) -> Door:
    query = _query(request)
    room_id, since = query.get("roomId", ""), query.get("since", "")
    token, ticket = _handshake_token(request), query.get("ticket", "")
    return JsonDoor(connection, shared, token, ticket, room_id=room_id, since=since)


def _handshake_token(request: web.Request) -> str:
    return request.headers.get("Authorization") or _query(request).get("token", "")


def _query(request: web.Request) -> Mapping[str, str]:
    # Reading a query that is not there would leave 200 bytes with each connection.
    return request.query if "?" in request.raw_path else {}


_STOMP = ("v12.stomp", "v11.stomp", "v10.stomp")

ENTRANCES = (
    Entrance(transports.BASE, "stomp", _STOMP, stomp_door, greets=True),
    Entrance("/ws/chat", "json", (), _json_door),
)
"""Where the doors are; the STOMP door can also be reached through SockJS."""

SOCKJS = Entrance(transports.WEBSOCKET, "sockjs", (), _sockjs_door, SockJsWebSocket)
_SOCKJS_RAW = Entrance(transports.BASE + "/websocket", "stomp", _STOMP, stomp_door)

WEB_SOCKETS = (*ENTRANCES, SOCKJS, _SOCKJS_RAW)
"""All of them."""
