"""What operators ask a process: is it alive, is it ready, what are its figures."""

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from allibe_services.runtime import Readiness


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
