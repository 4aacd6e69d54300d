"""`ops`: `/livez`, `/readyz`, `/metrics`."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Counter

from allibe_services import ops
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.runtime import Readiness


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
async def client(readiness: Readiness) -> AsyncIterator[TestClient[Any, Any]]:
    registry = CollectorRegistry()
    Counter("messages", "Messages.", registry=registry).inc(3)
    app = web.Application()
    app.add_routes(ops.routes(readiness, registry))
    async with TestClient(TestServer(app)) as client:
        yield client


async def away() -> None:
    raise StoreUnavailable


async def test_alive_asks_nobody(readiness: Readiness, client: TestClient[Any, Any]) -> None:
    """A database that is away is no reason to restart the process."""
    readiness.add("store", away)
    response = await client.get("/livez")
    assert (response.status, await response.text()) == (200, "ok\n")


async def test_ready_without_checks(client: TestClient[Any, Any]) -> None:
    response = await client.get("/readyz")
    assert (response.status, await response.text()) == (200, "ok\n")


async def test_unready_says_what_is_missing(
    readiness: Readiness, client: TestClient[Any, Any]
) -> None:
    async def ok() -> None: ...

    readiness.add("store", away)
    readiness.add("bus", ok)
    response = await client.get("/readyz")
    assert (response.status, await response.text()) == (503, "bus: ok\nstore: store_unavailable\n")


async def test_draining_is_unready_and_alive(
    readiness: Readiness, client: TestClient[Any, Any]
) -> None:
    """Load balancers stop sending; nobody restarts what is leaving anyway."""
    readiness.drain()
    assert (await client.get("/readyz")).status == 503
    assert (await client.get("/livez")).status == 200


async def test_metrics_are_in_the_text_format(client: TestClient[Any, Any]) -> None:
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "messages_total 3.0" in await response.text()
