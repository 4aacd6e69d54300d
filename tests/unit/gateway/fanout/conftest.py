"""A hub, and shorter pauses."""

from collections.abc import AsyncIterator

import pytest

from allibe_gateway.fanout import hub, room_feed
from tests.unit.gateway.fanout.hubs import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.hub.open()
    yield world
    await world.hub.close()


@pytest.fixture
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LINGER_SECONDS", 0.01)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let feeds ask a store that is away again at once."""
    monkeypatch.setattr(room_feed, "RETRY_SECONDS", 0.001)
