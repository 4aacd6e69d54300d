"""`processes`: what stands before anybody is let in, and how long an end takes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import msgspec
import pytest
from aiohttp import web

from allibe_gateway.app import Gateway
from allibe_services.backends import Backends
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.errors import LeasesUnavailable, StoreUnavailable, TokenRevoked
from allibe_services.contracts.identity import Identity
from allibe_services.contracts.ids import UserId
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.rates.inprocess import InProcessRates
from allibe_services.settings import Settings
from allibe_services.tickets.inprocess import InProcessTickets
from allibe_services.workers.inprocess import InProcessWorkers
from allibe_standalone import processes
from allibe_standalone.processes import Process
from tests.unit.gateway.world import SECRET, FakeStore

SETTINGS = Settings(jwt_secret=SECRET)
ALICE = Identity(UserId("alice"), 9_999_999_999.0)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def parts(store: FakeStore) -> AsyncIterator[Backends]:
    bus, presence = InProcessBus(), InProcessPresence()
    yield Backends(bus, store, presence, InProcessWorkers(), InProcessTickets(), InProcessRates())
    await bus.close()
    await presence.close()


async def test_redis_is_asked_now_and_then_though_nobody_uses_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else one that was away at its last use would be down by the figures until the next one."""
    asked = asyncio.Semaphore(0)

    async def ping(_: InProcessPresence) -> None:
        asked.release()
        raise LeasesUnavailable

    monkeypatch.setattr(InProcessPresence, "ping", ping)
    monkeypatch.setattr(processes, "LOOK_SECONDS", 0.01)
    here = msgspec.structs.replace(SETTINGS, database_url=f"sqlite:///{tmp_path / 'chat.db'}")
    async with asyncio.timeout(10), processes._started(here, "rooms-api") as (process, _, _):
        await asked.acquire()
        await asked.acquire()
        assert not process.tasks.failed.done()


async def test_revocations_are_known_on_entry(parts: Backends, store: FakeStore) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    await store.revocations.revoke("user", "alice", expires_at=later)
    process = Process(SETTINGS)
    async with processes._admission(process, parts) as admission:
        with pytest.raises(TokenRevoked):
            admission.verifier.check(ALICE)
        assert process.registry.get_sample_value("allibe_auth_revocations") == 1
        assert await process.readiness.report() == {}
    await process.tasks.close()


async def test_a_process_starts_without_the_database_and_lets_nobody_in(
    parts: Backends, store: FakeStore
) -> None:
    store.revocations.away = True
    process = Process(SETTINGS)
    async with processes._admission(process, parts) as admission:
        with pytest.raises(StoreUnavailable):
            admission.verifier.check(ALICE)
    await process.tasks.close()


async def test_a_process_that_has_no_key_is_unready(parts: Backends) -> None:
    """Nothing answers at the issuer's address."""
    published = msgspec.structs.replace(
        SETTINGS, jwt_algorithm="ES256", jwt_jwks_url="http://127.0.0.1:1/keys"
    )
    process = Process(published)
    async with processes._admission(process, parts):
        assert await process.readiness.report() == {"keys": "keys_unavailable"}
    await process.tasks.close()


class Stopping:
    """A site and an entrance; notes how long the connections may take."""

    seconds = 0.0

    async def stop(self) -> None: ...

    async def drain(self, seconds: float) -> None:
        self.seconds = seconds


@pytest.mark.parametrize(("whole", "lead"), [(25.0, 0.0), (8.0, 0.0), (0.4, 0.2), (0.4, 5.0)])
async def test_no_end_takes_longer_than_it_is_said_to(
    monkeypatch: pytest.MonkeyPatch, whole: float, lead: float
) -> None:
    """The lead, the connections, and then what is under way over HTTP."""

    async def at_once(_: object) -> None: ...

    monkeypatch.setattr(processes, "stop_requested", at_once)
    settings = msgspec.structs.replace(SETTINGS, drain_seconds=whole, drain_lead_seconds=lead)
    process, end = Process(settings), Stopping()
    await processes._until_stopped(process, cast("web.TCPSite", end), cast("Gateway", end))
    async with processes._listening(process, web.Application(), "127.0.0.1", 0) as site:
        requests = site._runner._shutdown_timeout
    assert end.seconds > 0
    assert min(lead, whole / 2) + end.seconds + requests <= whole
    await process.tasks.close()
