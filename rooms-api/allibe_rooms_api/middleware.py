"""What happens to every request of the API, whatever its handler: one answer, in time, in shape.

These stand on the API's own sub-application, so that WebSocket routes beside it never meet them.
"""

import asyncio
import time
from contextlib import suppress

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from structlog.contextvars import bind_contextvars, clear_contextvars

from allibe_rooms_api import problems
from allibe_rooms_api.call import CONTEXT, route_of
from allibe_rooms_api.sending import taken_in_time
from allibe_services.contracts.errors import AllibeError, NotConfirmed
from allibe_services.trace_context import trace_of

log = structlog.get_logger(__name__)


@web.middleware
async def written(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send the answer, and end the connection of who does not take it in time."""
    response = await handler(request)
    # Gone while it was answered, or ended here; aiohttp finds out by itself.
    with suppress(ConnectionError):
        limit = request.app[CONTEXT].write_limit
        async with taken_in_time(request, limit, route=route_of(request)):
            await response.prepare(request)
            await response.write_eof()
    return response


@web.middleware
async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let lines of the log say of which trace they are; `authenticated` adds the user."""
    clear_contextvars()  # one task answers all requests of a connection
    if (trace := trace_of(request.headers)) is not None:
        bind_contextvars(trace=trace)
    return await handler(request)


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the observer, if there is one, of each answer and how long it took."""
    observe = request.app[CONTEXT].observe
    started = time.perf_counter()
    response = await handler(request)
    if observe is not None:
        observe(route_of(request), response.status, time.perf_counter() - started)
    return response


@web.middleware
async def shown_to_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let pages of listed origins read the answer; ask nobody who they are for a preflight.

    Others are answered all the same: what a page may not read its browser keeps from it, and
    what needs a token it does not even send without a preflight.
    """
    origins = request.app[CONTEXT].origins
    preflight = origins.preflight(request)
    if preflight is None:
        response = await handler(request)
    else:
        response = web.Response(status=204, headers={hdrs.CACHE_CONTROL: "no-store"} | preflight)
    response.headers.update(origins.cors(request))
    return response


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever the handler raises into a problem, and keep answers out of caches."""
    try:
        response = await _in_time(request, handler)
    except AllibeError as error:
        response = problems.respond(error)
    except web.HTTPException as exception:
        response = problems.respond(problems.from_http(exception))
    except Exception:
        log.exception("request_failed", route=route_of(request))
        response = problems.respond(problems.InternalError())
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response


async def _in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        async with asyncio.timeout(request.app[CONTEXT].time_limit):
            return await handler(request)
    except TimeoutError:
        log.warning("request_timed_out", route=route_of(request))
        raise NotConfirmed("No answer in time; what was asked may or may not be done.") from None
