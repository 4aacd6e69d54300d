"""`rabbitmq.supervision`: pauses between lives of what should last."""

import asyncio

import pytest

from allibe_services.bus.rabbitmq.supervision import STEADY_SECONDS, Pauses, for_ever


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited for, without waiting."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("allibe_services.bus.rabbitmq.supervision.asyncio.sleep", sleep)
    monkeypatch.setattr(
        "allibe_services.bus.rabbitmq.supervision.random.uniform", lambda _, most: most
    )
    return pauses


async def test_they_double_up_to_the_longest(slept: list[float]) -> None:
    pauses = Pauses(0.1, 0.5)
    for _ in range(5):
        pauses.begin()
        await pauses.rest()
    assert slept == [0.1, 0.2, 0.4, 0.5, 0.5]


@pytest.mark.parametrize(("lasted", "next_pause"), [(STEADY_SECONDS + 1, 0.1), (1.0, 0.2)])
async def test_after_a_life_that_lasted_the_first_is_next(
    slept: list[float], monkeypatch: pytest.MonkeyPatch, lasted: float, next_pause: float
) -> None:
    loop = asyncio.get_running_loop()
    start, passed = loop.time(), 0.0
    monkeypatch.setattr(loop, "time", lambda: start + passed)
    pauses = Pauses(0.1, 0.5)
    pauses.begin()
    await pauses.rest()
    pauses.begin()
    passed = lasted
    await pauses.rest()
    assert slept == [0.1, next_pause]


async def test_work_that_is_to_end_ends_whatever_it_raises() -> None:
    """aiormq makes other errors of a cancellation, now and then."""
    began = asyncio.Event()

    async def work() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError from None

    task = asyncio.create_task(for_ever("work", work))
    await began.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done == {task}
    assert task.cancelled()


async def test_nobody_who_is_to_end_rests_before_another_life() -> None:
    async def live() -> None:
        pauses = Pauses(60.0, 60.0)
        try:
            pauses.begin()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await pauses.rest()

    task = asyncio.create_task(live())
    await asyncio.sleep(0)
    task.cancel()
    assert await asyncio.wait([task], timeout=5) == ({task}, set())
    assert task.cancelled()
