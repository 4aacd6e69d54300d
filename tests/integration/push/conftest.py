"""A push service over TLS, and our side with a key of its own."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from allibe_fanout_worker.push import pusher, scheduler
from allibe_fanout_worker.push.webpush import WebPush
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.outbound import (
    LoopbackForTests,
    OutboundClient,
    Rules,
    TimeLimits,
    outbound_client,
)
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from allibe_services.vapid import VapidKey
from tests.support.certificates import tls_pair
from tests.support.push_service import PushService
from tests.support.pushing import PushWorld

SUBJECT = "mailto:ops@chat.example"

SOON = TimeLimits(connect=1.0, total=1.0)
"""For what never ends: the test waits for that long."""


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side, and that of who believes it."""
    return tls_pair(tmp_path)


@pytest.fixture
def rules(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> Rules:
    return Rules(loopback=LoopbackForTests(tls[1]))


@pytest.fixture
async def service(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> AsyncIterator[PushService]:
    async with PushService.running(tls[0]) as service:
        yield service


@pytest.fixture
async def client(rules: Rules) -> AsyncIterator[OutboundClient]:
    async with outbound_client(rules) as client:
        yield client


@pytest.fixture
def key() -> VapidKey:
    return VapidKey.generate()


@pytest.fixture
def web_push(client: OutboundClient, key: VapidKey) -> WebPush:
    return WebPush(client, key, SUBJECT)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers pause for less."""
    monkeypatch.setattr(scheduler, "ROUND_SECONDS", 0.02)
    monkeypatch.setattr(scheduler, "PATROL_SECONDS", 0.2)
    monkeypatch.setattr(pusher, "POLL_SECONDS", 0.05)


@pytest.fixture
async def store(sqlite_with_tables: str) -> AsyncIterator[SqlStore]:
    store = SqlStore(SqliteDatabase(sqlite_with_tables))
    yield store
    await store.close()


@pytest.fixture
async def world(
    store: SqlStore, service: PushService, client: OutboundClient, quickly: None
) -> AsyncIterator[PushWorld]:
    """What a worker in one process stands on."""
    bus = InProcessBus()
    yield PushWorld(store, bus, service, client)
    await bus.close()
