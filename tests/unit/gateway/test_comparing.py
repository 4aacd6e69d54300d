"""`comparing`: a store that is away for long is said once."""

import asyncio

import pytest
from structlog.testing import capture_logs

from allibe_gateway import comparing
from allibe_gateway.comparing import Comparing
from allibe_services.contracts.errors import StoreUnavailable


async def test_what_fails_again_and_again_is_said_once_until_it_has_worked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("COMPARE_SECONDS", "RETRY_SECONDS", "PAUSE_SECONDS"):
        monkeypatch.setattr(comparing, name, 0.001)
    outcomes = [False, False, True, False]
    done = asyncio.Event()

    async def compare() -> None:
        if not outcomes:
            done.set()
        elif not outcomes.pop(0):
            raise StoreUnavailable

    with capture_logs() as logs:
        task = asyncio.create_task(Comparing("rooms", compare).run())
        async with asyncio.timeout(10):
            await done.wait()
        task.cancel()
    assert [entry["event"] for entry in logs] == ["not_compared"] * 2
