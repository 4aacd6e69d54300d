"""The API under test, served on a free port of this machine."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from allibe_rooms_api.app import create_app
from allibe_rooms_api.call import Context
from allibe_services.auth import TokenVerifier
from allibe_services.tickets.inprocess import InProcessTickets
from tests.unit.rooms_api.api import SECRET, Api
from tests.unit.rooms_api.fakes import START, MemoryStore, RecordingBus


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def bus(store: MemoryStore) -> RecordingBus:
    return RecordingBus(store)


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier("HS256", SECRET)


@pytest.fixture
def tickets() -> InProcessTickets:
    return InProcessTickets()


@pytest.fixture
def context(
    store: MemoryStore, bus: RecordingBus, tickets: InProcessTickets, verifier: TokenVerifier
) -> Callable[..., Context]:
    """Make what the API stands on: the fakes, and what the test says besides."""
    return partial(Context, store=store, bus=bus, tickets=tickets, verifier=verifier)


@pytest.fixture
def app(context: Callable[..., Context]) -> web.Application:
    return create_app(context(clock=lambda: START))


@pytest.fixture
async def api(app: web.Application, store: MemoryStore, bus: RecordingBus) -> AsyncIterator[Api]:
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    async with client:
        yield Api(client, store, bus)
