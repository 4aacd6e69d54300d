"""What operators ask a process: is it alive, ready, what are its figures, what does it log."""

import asyncio

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from allibe_services import log_level
from allibe_services.runtime import Readiness

LEVEL_BYTES = 100
"""More than any level has."""

LEVEL_SECONDS = 5.0
"""For a level to arrive."""

log = structlog.get_logger(__name__)


def routes(readiness: Readiness, registry: CollectorRegistry) -> list[web.RouteDef]:
    """Return `/livez` (never asks a dependency), `/readyz` and `/metrics`."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        report = await readiness.report()
        ready = all(result == "ok" for result in report.values())
        lines = "".join(f"{name}: {result}\n" for name, result in sorted(report.items()))
        return web.Response(text=lines or "ok\n", status=200 if ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        body = generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    return [
        web.get("/livez", livez),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
    ]


def level_routes() -> list[web.RouteDef]:
    """Return `/log-level`, to be read and PUT: for the operations port alone, which asks nobody who
    they are. (A page cannot PUT there from a browser: that takes a preflight, and none is granted.)
    """

    async def read(_: web.Request) -> web.Response:
        return web.Response(text=f"{log_level.level()}\n")

    async def change(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(LEVEL_SECONDS):
                body = await request.content.readexactly(LEVEL_BYTES)
        except asyncio.IncompleteReadError as whole:
            body = whole.partial
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        wanted = body.decode(errors="replace").strip()
        if wanted not in log_level.LOG_LEVELS:
            return web.Response(text=f"one of {', '.join(log_level.LOG_LEVELS)}\n", status=400)
        log.warning("log_level_changed", before=log_level.level(), now=wanted)
        log_level.set_level(wanted)
        return await read(request)

    return [web.get("/log-level", read), web.put("/log-level", change)]
