"""`ops`: `/livez`, `/readyz`, `/metrics`, `/log-level`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Counter
from structlog.testing import capture_logs

from allibe_services import log_level, ops
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


class TestLogLevel:
    @pytest.fixture(autouse=True)
    def _as_it_was(self) -> Iterator[None]:
        before = log_level.level()
        yield
        log_level.set_level(before)

    @pytest.fixture
    async def client(self) -> AsyncIterator[TestClient[Any, Any]]:
        app = web.Application()
        app.add_routes(ops.level_routes())
        async with TestClient(TestServer(app)) as client:
            yield client

    async def test_it_is_read_and_changed(self, client: TestClient[Any, Any]) -> None:
        assert await (await client.get("/log-level")).text() == "info\n"
        with capture_logs() as lines:
            response = await client.put("/log-level", data="debug\n")
        assert (response.status, await response.text()) == (200, "debug\n")
        assert log_level.level() == "debug"
        changed = {"event": "log_level_changed", "before": "info", "now": "debug"}
        assert lines == [changed | {"log_level": "warning"}]

    @pytest.mark.parametrize("wanted", ["", "all", "DEBUG" * 1000, "\xff"])
    async def test_an_unknown_one_changes_nothing(
        self, client: TestClient[Any, Any], wanted: str
    ) -> None:
        response = await client.put("/log-level", data=wanted)
        assert (response.status, await response.text()) == (
            400,
            "one of debug, info, warning, error\n",
        )
        assert log_level.level() == "info"

    async def test_a_level_that_does_not_arrive_is_not_waited_for(
        self, client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ops, "LEVEL_SECONDS", 0.01)

        async def never() -> AsyncIterator[bytes]:
            yield b"de"
            await asyncio.Event().wait()

        async with asyncio.timeout(10):
            response = await client.put("/log-level", data=never())
        assert response.status == 408

    async def test_a_page_from_elsewhere_is_granted_nothing(
        self, client: TestClient[Any, Any]
    ) -> None:
        """What a browser asks before it PUTs for a page."""
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}
        response = await client.options("/log-level", headers=asked)
        assert response.status == 405
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_metrics_are_in_the_text_format(client: TestClient[Any, Any]) -> None:
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "messages_total 3.0" in await response.text()
