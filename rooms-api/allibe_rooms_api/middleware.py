"""What happens to every request of the API, whatever its handler: one answer, in time, in shape.

These stand on the API's own sub-application, so that WebSocket routes beside it never meet them.
"""

import asyncio
import time

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from allibe_rooms_api import problems
from allibe_rooms_api.call import CONTEXT, route_of
from allibe_services.contracts.errors import AllibeError, NotConfirmed

log = structlog.get_logger(__name__)


@web.middleware
async def written(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send the answer, and end the connection of who does not take it in time.

    aiohttp itself would wait for ever, the answer in memory.
    """
    response = await handler(request)
    try:
        async with asyncio.timeout(request.app[CONTEXT].write_limit):
            await _write(request, response)
    except TimeoutError:
        log.warning("answer_not_read", route=route_of(request))
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # Gone while it was answered; aiohttp finds out by itself.
    return response


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


async def _write(request: web.Request, response: web.StreamResponse) -> None:
    """Send the answer, to the last byte: all of it is the kernel's when this returns."""
    transport = request.transport
    if transport is None:
        return
    low, high = transport.get_write_buffer_limits()
    # Else up to 64 KiB may stay behind, and writing would be over too early to see them.
    transport.set_write_buffer_limits(high=0)
    await response.prepare(request)
    await response.write_eof()
    transport.set_write_buffer_limits(high, low)


async def _in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        async with asyncio.timeout(request.app[CONTEXT].time_limit):
            return await handler(request)
    except TimeoutError:
        log.warning("request_timed_out", route=route_of(request))
        raise NotConfirmed("No answer in time; what was asked may or may not be done.") from None
