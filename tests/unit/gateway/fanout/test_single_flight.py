"""`fanout.single_flight`: who asks while a read runs shares it."""

import asyncio

import pytest

from allibe_gateway.fanout.single_flight import SingleFlight
from allibe_services.contracts.errors import StoreUnavailable
from tests.unit.gateway.fakes import settle


class Reads:
    """A read that waits until it is let go, and counts how often it ran."""

    def __init__(self) -> None:
        self.started = 0
        self.free = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.started += 1
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return self.started


async def test_who_asks_while_it_runs_shares_the_result() -> None:
    flight: SingleFlight[str, int] = SingleFlight()
    reads = Reads()
    asking = [asyncio.create_task(flight.run("a", reads)) for _ in range(5)]
    await settle()
    reads.free.set()
    assert await asyncio.gather(*asking) == [1] * 5


async def test_who_asks_later_reads_again() -> None:
    """Nothing is cached: what is read must be from after the question."""
    flight: SingleFlight[str, int] = SingleFlight()
    reads = Reads()
    reads.free.set()
    assert await flight.run("a", reads) == 1
    assert await flight.run("a", reads) == 2


async def test_different_keys_are_different_reads() -> None:
    flight: SingleFlight[str, int] = SingleFlight()
    reads = Reads()
    reads.free.set()
    await asyncio.gather(flight.run("a", reads), flight.run("b", reads))
    assert reads.started == 2


async def test_the_error_is_shared_and_the_next_one_tries_again() -> None:
    flight: SingleFlight[str, int] = SingleFlight()
    reads = Reads()
    reads.error = StoreUnavailable()
    asking = [asyncio.create_task(flight.run("a", reads)) for _ in range(2)]
    await settle()
    reads.free.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in results] == [StoreUnavailable] * 2

    reads.error = None
    assert await flight.run("a", reads) == 2


async def test_one_who_gives_up_does_not_harm_the_others() -> None:
    flight: SingleFlight[str, int] = SingleFlight()
    reads = Reads()
    first, second = (asyncio.create_task(flight.run("a", reads)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    reads.free.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_error_that_nobody_waits_for_any_more_is_not_left_unretrieved(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flight: SingleFlight[str, int] = SingleFlight()
    reads = Reads()
    reads.error = StoreUnavailable()
    asking = asyncio.create_task(flight.run("a", reads))
    await settle()
    asking.cancel()
    await settle()
    reads.free.set()
    await settle()
    assert caplog.records == []


async def test_close_ends_what_runs_and_who_waited_is_told_to_try_again() -> None:
    """It is not the caller that was cancelled: a cancellation would end its connection."""
    flight: SingleFlight[str, int] = SingleFlight()
    asking = asyncio.create_task(flight.run("a", Reads()))
    await settle()
    flight.close()
    with pytest.raises(StoreUnavailable):
        await asking
