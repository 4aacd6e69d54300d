"""`push.turns`: what is slow makes room for others, up to a bound."""

import asyncio
from contextlib import ExitStack

import pytest

from allibe_fanout_worker.push import turns
from allibe_fanout_worker.push.turns import AT_ONCE, MOST, Turns


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLOW_SECONDS", 0.0)


async def slow(all_of_them: Turns, users: int, stack: ExitStack) -> None:
    """Let so many begin, and become slow."""
    all_of_them.begin(users)
    for _ in range(users):
        stack.enter_context(all_of_them.under_way())
    await asyncio.sleep(0.01)


async def test_quick_ones_leave_room_when_they_end() -> None:
    freed: list[None] = []
    all_of_them = Turns(lambda: freed.append(None))
    all_of_them.begin(AT_ONCE)
    assert all_of_them.room == 0
    with all_of_them.under_way():
        assert all_of_them.room == 0
    assert (all_of_them.room, len(freed)) == (1, 1)
    all_of_them.end(AT_ONCE - 1)
    assert all_of_them.room == AT_ONCE


async def test_slow_ones_leave_room_before_they_end_and_not_for_more_than_the_most(
    soon: None,
) -> None:
    woken = asyncio.Event()
    all_of_them = Turns(woken.set)
    with ExitStack() as stack:
        for begun in range(AT_ONCE, MOST, AT_ONCE):
            await slow(all_of_them, AT_ONCE, stack)
            assert woken.is_set()
            assert all_of_them.room == min(AT_ONCE, MOST - begun)
        await slow(all_of_them, AT_ONCE, stack)
        assert all_of_them.room == 0
    assert all_of_them.room == AT_ONCE
