"""Answers that their clients do not take: the connection ends, so that nobody holds one for ever.

aiohttp itself would wait, with what is unsent in memory and the file open.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)


@asynccontextmanager
async def taken_in_time(
    request: web.BaseRequest, seconds: float, *, route: str
) -> AsyncIterator[None]:
    """Let an answer be sent: all of it is the kernel's at the end, or its connection is gone.

    Raises `ConnectionResetError` when it is, on which aiohttp lets go of the request in silence.
    The log names the route.
    """
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("gone before it was answered")
    low, high = transport.get_write_buffer_limits()
    # Else up to 64 KiB may stay behind, and sending would be over too early to see them.
    transport.set_write_buffer_limits(high=0)
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        log.warning("answer_not_read", route=route)
        transport.abort()
        raise ConnectionResetError("the answer was not read in time") from None
    transport.set_write_buffer_limits(high, low)
