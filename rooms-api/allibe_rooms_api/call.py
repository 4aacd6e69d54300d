"""What a handler gets: the request, who makes it, and what the API stands on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import hdrs, web

from allibe_services.auth import Identity, TokenVerifier
from allibe_services.bus.base import Bus
from allibe_services.contracts.errors import TokenRequired
from allibe_services.store.base import Store

Observe = Callable[[str, int, float], None]
"""Told of every answer: route (`GET /api/chat/rooms/{roomId}`, or `unknown`), status, seconds."""

UNKNOWN_ROUTE = "unknown"
"""The route of whatever matched none: one name, so that strangers cannot make metrics grow."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the API stands on; one for all requests.

    `time_limit` is for making an answer, `write_limit` for sending it, both in seconds.
    """

    store: Store
    bus: Bus
    verifier: TokenVerifier
    clock: Callable[[], datetime]
    time_limit: float
    write_limit: float
    observe: Observe | None = None


CONTEXT = web.AppKey("allibe_rooms_api", Context)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one user."""

    request: web.Request
    identity: Identity
    context: Context

    @property
    def store(self) -> Store:
        """The rooms, members and logs."""
        return self.context.store

    @property
    def bus(self) -> Bus:
        """Where commands and events go."""
        return self.context.bus


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def authenticated(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make a handler of calls one of requests; the token comes from `Authorization`.

    The handler it returns raises `TokenRequired`, `TokenInvalid`, `TokenExpired`.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        context = request.app[CONTEXT]
        token = request.headers.get(hdrs.AUTHORIZATION)
        if token is None:
            raise TokenRequired
        return await handler(Call(request, context.verifier.verify(token), context))

    return handle


def route_of(request: web.Request) -> str:
    """Return the name of the route that the request matched: method and path pattern."""
    resource = request.match_info.route.resource
    return UNKNOWN_ROUTE if resource is None else f"{request.method} {resource.canonical}"
