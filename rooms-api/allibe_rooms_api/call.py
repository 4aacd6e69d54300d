"""What a handler gets: the request, who makes it, and what the API stands on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from aiohttp import hdrs, web
from structlog.contextvars import bind_contextvars

from allibe_rooms_api.permissions import is_system
from allibe_services.auth import Identity, TokenVerifier
from allibe_services.bus.base import Bus
from allibe_services.contracts.errors import AllibeError, TokenRequired
from allibe_services.contracts.messages import now
from allibe_services.origins import Origins
from allibe_services.outbound import Rules
from allibe_services.rates.limiter import Limiter, unlimited
from allibe_services.store.base import Store
from allibe_services.tickets.base import Tickets

log = structlog.get_logger(__name__)

Observe = Callable[[str, int, float], None]
"""Told of every answer: route (`GET /api/chat/rooms/{roomId}`, or `unknown`), status, seconds."""

UNKNOWN_ROUTE = "unknown"
"""The route of whatever matched none: one name, so that strangers cannot make metrics grow."""


_NAMES = {"roomId": "room", "user": "of_user"}
"""What a line of the log calls the parts of an address."""

_NAMED = 128
"""Characters of an id in the log: the longest that is valid. Others are refused, but told too."""

REQUEST_SECONDS = 15.0
"""Longest time for one request: above the limits of store and bus, below those of proxies."""

WRITE_SECONDS = 15.0
"""Longest time to send an answer: the largest page, 1 MiB, at 70 kB/s. Who reads slower than
that, or not at all, would else make the server keep the answer as long as he likes."""

TOKEN_LIFE_SECONDS = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the API stands on; one for all requests.

    `observe` is told of every answer. `time_limit` is for making one, in seconds; one that is not
    sent within `write_limit` seconds more ends its connection. Pages of `origins` may read them.
    `token_life` is how many seconds a token lives at most, and so a revocation. `push_key` is the
    public VAPID key, None where nothing is pushed to browsers; where these may be pushed to says
    `push_rules`.
    """

    store: Store
    bus: Bus
    tickets: Tickets
    verifier: TokenVerifier
    clock: Callable[[], datetime] = now
    observe: Observe | None = None
    origins: Origins = field(default_factory=Origins)
    limiter: Limiter = field(default_factory=unlimited)
    time_limit: float = REQUEST_SECONDS
    write_limit: float = WRITE_SECONDS
    token_life: float = TOKEN_LIFE_SECONDS
    push_key: str | None = None
    push_rules: Rules = field(default_factory=Rules)


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

    The handler it returns raises as `TokenVerifier.verified`, and `RateLimited`.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        context = request.app[CONTEXT]
        token = request.headers.get(hdrs.AUTHORIZATION)
        if token is None:
            raise TokenRequired
        identity = await context.verifier.verified(token)
        bind_contextvars(user=identity.user_id)
        call = Call(request, identity, context)
        if is_system(identity):
            return await _on_record(handler, call)
        context.limiter.request(identity.user_id)
        return await handler(call)

    return handle


async def _on_record(handler: Handler, call: Call) -> web.StreamResponse:
    """Handle a call of who may do everything; a line of the log says what was done, and to whom.

    What was sent is not in it, only what the address names.
    """
    outcome = "failed"
    try:
        response = await handler(call)
    except AllibeError as error:
        outcome = error.code
        raise
    else:
        outcome = str(response.status)
        return response
    finally:
        parts = call.request.match_info.items()
        named = {_NAMES.get(name, name): part[:_NAMED] for name, part in parts}
        if (token := call.identity.token_id) is not None:
            named["token"] = token
        log.info("system_called", route=route_of(call.request), outcome=outcome, **named)


def route_of(request: web.Request) -> str:
    """Return the name of the route that the request matched: method and path pattern."""
    resource = request.match_info.route.resource
    return UNKNOWN_ROUTE if resource is None else f"{request.method} {resource.canonical}"
