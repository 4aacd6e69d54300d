"""A port of a process: an application served on it, and how long connections may be idle."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web, web_response

from allibe_services.runtime import Tasks
from allibe_standalone.idle_connections import IdleConnections
from allibe_standalone.unread_answers import UnreadAnswers

BACKLOG = 4096
"""Connections that may wait to be accepted: a reconnect storm."""

SERVER = "allibe"
"""What every answer says of its server: no version, by which to look up what it is open to."""

HEAD_SECONDS = 10.0
"""Time for a connection to say what it wants: as long as a body, or a sign-in, may take."""

UNREAD_SECONDS = 30.0
"""Time in which a client takes something of an answer, however little: longer than networks need
to come back from a bad moment."""

KEEP_ALIVE_SECONDS = 30.0
"""How long a connection may wait for its next request: it saves a client that asks now and then
from connecting again, and aiohttp's own hour would leave all others open. Proxies that keep
connections to us must keep them shorter."""


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, *, tasks: Tasks, request_seconds: float
) -> AsyncIterator[web.TCPSite]:
    """Serve the application while the context lasts; then end requests, within that time.

    `tasks` own what looks after idle and unread connections. Raises `OSError`, with the port.
    """
    # Not `on_response_prepare`, which is a call for each answer, and none for what is not HTTP.
    web_response.SERVER_SOFTWARE = SERVER  # type: ignore[attr-defined]
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=request_seconds,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )
    await runner.setup()
    server = cast("web.Server", runner.server)
    idle, unread = IdleConnections(server, HEAD_SECONDS), UnreadAnswers(server, UNREAD_SECONDS)
    watching = [
        tasks.start(idle.watch(), name="idle-connections"),
        tasks.start(unread.watch(), name="unread-answers"),
    ]
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        await _start(site, host, port)
        yield site
    finally:
        for task in watching:
            task.cancel()
        await runner.cleanup()


async def _start(site: web.TCPSite, host: str, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"port {port} on {host} is taken; choose another one") from None
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
