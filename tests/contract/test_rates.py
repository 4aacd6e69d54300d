"""`rates.base`: every sentence of its docstrings, against every implementation."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from allibe_services.rates.base import LEASE_SECONDS, RENEW_SECONDS, Rates, Spent
from allibe_services.rates.redis import BATCH
from tests.contract.factories_leases import RATES, PassSeconds

Opened = tuple[Rates, PassSeconds]
NEAR = 2.0
"""Seconds by which debts may be off here, on a busy machine: real time passes for Redis."""


@pytest.fixture(params=RATES)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    async with RATES[request.param](request) as opened:
        yield opened


@pytest.fixture
def rates(opened: Opened) -> Rates:
    return opened[0]


@pytest.fixture
def pass_seconds(opened: Opened) -> PassSeconds:
    return opened[1]


async def debt(rates: Rates, seconds: float = 0.0, *, key: str = "k", age: float = 0.0) -> float:
    """Spend, and return the whole debt."""
    return (await rates.spend({key: Spent(seconds, age)}))[key]


async def test_debts_of_all_add_up(rates: Rates) -> None:
    assert await debt(rates, 100) == pytest.approx(100, abs=NEAR)
    assert await debt(rates, 50) == pytest.approx(150, abs=NEAR)
    assert await debt(rates) == pytest.approx(150, abs=NEAR)


async def test_keys_are_apart_and_each_is_answered(rates: Rates) -> None:
    odd = "user_messages:a 'b' {c} \n 한글"
    answer = await rates.spend({"k": Spent(100, 0), odd: Spent(10, 0), "z": Spent(0, 0)})
    assert list(answer) == ["k", odd, "z"]
    assert list(answer.values()) == pytest.approx([100, 10, 0], abs=NEAR)
    assert await debt(rates, key="other") == 0


async def test_time_pays_debts_back_and_no_further(rates: Rates, pass_seconds: PassSeconds) -> None:
    await debt(rates, 100)
    await pass_seconds(60)
    assert await debt(rates) == pytest.approx(40, abs=NEAR)
    await pass_seconds(60)
    assert await debt(rates) == 0
    assert await debt(rates, 10) == pytest.approx(10, abs=NEAR)


async def test_what_was_spent_a_while_ago_is_partly_paid_back(rates: Rates) -> None:
    """Else a slow mode of 10 s would last longer by the time until it is told."""
    assert await debt(rates, 100, age=30) == pytest.approx(70, abs=NEAR)
    assert await debt(rates, 20, age=30) == pytest.approx(90, abs=NEAR)
    assert await debt(rates, 10, key="old", age=30) == 0


async def test_nothing_spent_is_nothing_owed(rates: Rates) -> None:
    assert await rates.spend({}) == {}
    assert await rates.hold("one", {}) == {}


async def test_who_holds_is_told_what_others_hold(rates: Rates) -> None:
    assert await rates.hold("one", {"alice": 2, "bob": 1}) == {"alice": 0, "bob": 0}
    assert await rates.hold("two", {"alice": 3}) == {"alice": 2}
    assert await rates.hold("three", {"alice": 1, "bob": 1}) == {"alice": 5, "bob": 1}
    assert await rates.hold("one", {"alice": 1, "bob": 1}) == {"alice": 4, "bob": 1}
    assert await rates.hold("two", {"alice": 3}) == {"alice": 2}


async def test_none_ends_a_lease_at_once_and_an_unknown_one_is_ignored(rates: Rates) -> None:
    assert await rates.hold("one", {"alice": 0}) == {"alice": 0}
    await rates.hold("one", {"alice": 2, "bob": 1})
    await rates.hold("one", {"alice": 0})
    assert await rates.hold("two", {"alice": 1, "bob": 1}) == {"alice": 0, "bob": 1}


async def test_what_a_dead_process_held_ends_by_itself(
    rates: Rates, pass_seconds: PassSeconds
) -> None:
    await rates.hold("dead", {"alice": 2})
    await rates.hold("alive", {"alice": 3})
    for _ in range(3):
        await pass_seconds(RENEW_SECONDS)
        await rates.hold("alive", {"alice": 3})
    await pass_seconds(LEASE_SECONDS - 2 * RENEW_SECONDS)
    assert await rates.hold("new", {"alice": 1}) == {"alice": 3}
    assert await rates.hold("alive", {"alice": 3}) == {"alice": 1}


async def test_many_keys_at_once(rates: Rates) -> None:
    keys = [f"k{number}" for number in range(2 * BATCH + 1)]
    debts = await rates.spend({key: Spent(100, 0) for key in keys})
    assert list(debts) == keys
    assert list(debts.values()) == pytest.approx([100] * len(keys), abs=NEAR)
    await rates.hold("one", dict.fromkeys(keys, 2))
    assert await rates.hold("two", dict.fromkeys(keys, 1)) == dict.fromkeys(keys, 2)


async def test_processes_at_the_same_time_lose_nothing(rates: Rates) -> None:
    await asyncio.gather(*(debt(rates, 10) for _ in range(20)))
    assert await debt(rates) == pytest.approx(200, abs=NEAR)
