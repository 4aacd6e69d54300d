"""`fanout.bindings`: a key is bound while somebody wants it; the last wish stands."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from random import Random
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from allibe_gateway.fanout.bindings import ROUND_KEYS, Bindings
from allibe_services.contracts.errors import BusUnavailable
from tests.unit.gateway.fakes import FakeBus, FakeListening, settle


class NoEvents:
    def on_events(self, events: object) -> None: ...

    def on_doubt(self) -> None: ...


async def place() -> tuple[FakeBus, FakeListening, Bindings]:
    bus = FakeBus()
    listening = await bus.listen(NoEvents())
    return bus, listening, Bindings(listening)


async def test_it_is_bound_for_the_first_and_unbound_after_the_last() -> None:
    bus, listening, bindings = await place()
    await bindings.want("a")
    await bindings.want("a")
    assert bus.calls == [("bind", "a")]
    bindings.drop("a")
    await settle()
    assert listening.keys == {"a"}
    bindings.drop("a")
    await settle()
    assert listening.keys == set()


async def test_an_unbind_that_fails_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of a key that nobody wants go nowhere."""
    _, listening, bindings = await place()
    await bindings.want("a")

    async def fail(_: object) -> NoReturn:
        raise BusUnavailable

    with capture_logs() as logs, monkeypatch.context() as patch:
        patch.setattr(listening, "unbind", fail)
        bindings.drop("a")
        await settle()
    assert [entry["event"] for entry in logs] == ["not_unbound"]
    await bindings.want("a")
    assert listening.keys == {"a"}


async def test_one_that_is_wanted_again_before_its_unbind_is_not_unbound() -> None:
    bus, listening, bindings = await place()
    await bindings.want("a")
    bindings.drop("a")
    await bindings.want("a")
    await settle()
    assert listening.keys == {"a"}
    assert bus.calls == [("bind", "a")]


async def test_after_close_nothing_reaches_the_bus() -> None:
    bus, listening, bindings = await place()
    await bindings.want("a")
    await bindings.want("b")
    bindings.drop("b")
    await bindings.close()
    bindings.drop("a")
    await settle()
    assert listening.closed
    assert bus.calls == [("bind", "a"), ("bind", "b")]


async def test_what_is_wished_for_at_once_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reconnect storm, and the end of it."""
    _, listening, bindings = await place()
    calls: list[tuple[str, int]] = []

    def count(name: str, call: Callable[[Collection[str]], Awaitable[None]]) -> None:
        async def counted(keys: Collection[str]) -> None:
            calls.append((name, len(keys)))
            await call(keys)

        monkeypatch.setattr(listening, name, counted)

    count("bind", listening.bind)
    count("unbind", listening.unbind)
    keys = [f"room.{number}" for number in range(2 * ROUND_KEYS + 1)]
    await asyncio.gather(*(bindings.want(key) for key in keys * 2))
    assert calls == [("bind", ROUND_KEYS), ("bind", ROUND_KEYS), ("bind", 1)]
    assert listening.keys == set(keys)
    calls.clear()
    for key in keys * 2:
        bindings.drop(key)
    await settle()
    assert calls == [("unbind", ROUND_KEYS), ("unbind", ROUND_KEYS), ("unbind", 1)]
    assert listening.keys == set()


async def test_all_who_wait_are_told_that_the_bus_is_away() -> None:
    bus, listening, bindings = await place()
    bus.away = True
    results = await asyncio.gather(
        *(bindings.want(key) for key in ("a", "a", "b")), return_exceptions=True
    )
    assert [type(one) for one in results] == [BusUnavailable] * 3
    bus.away = False
    await bindings.want("a")
    assert "a" in listening.keys


async def test_a_fault_of_the_bus_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told to those of its round; the others have their turn."""
    _, listening, bindings = await place()
    bind, calls = listening.bind, 0

    async def faulty(keys: Collection[str]) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("a fault")
        await bind(keys)

    monkeypatch.setattr(listening, "bind", faulty)
    keys = [str(number) for number in range(ROUND_KEYS + 1)]
    with capture_logs() as logs:
        async with asyncio.timeout(1):
            results = await asyncio.gather(
                *(bindings.want(key) for key in keys), return_exceptions=True
            )
    assert [type(one) for one in results] == [RuntimeError] * ROUND_KEYS + [type(None)]
    assert [entry["event"] for entry in logs] == ["bind_failed"]


async def test_who_waits_when_it_closes_is_told() -> None:
    bus, _, bindings = await place()
    bus.free_to_bind.clear()
    waiting = asyncio.create_task(bindings.want("a"))
    await settle()
    await bindings.close()
    with pytest.raises(BusUnavailable):
        await waiting
    with pytest.raises(BusUnavailable):
        await bindings.want("b")


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_whoever_comes_and_goes_however_slow_the_bus_is(seed: int) -> None:
    """Wants are true while they last, and nothing is bound in the end."""
    asyncio.run(_come_and_go(Random(seed)))


async def _come_and_go(random: Random) -> None:
    bus, listening, bindings = await place()

    async def weather() -> None:
        while True:
            for gate in (bus.free_to_bind, bus.free_to_unbind):
                gate.set() if random.random() < 0.5 else gate.clear()
            bus.away = random.random() < 0.2
            await asyncio.sleep(0)

    async def visitor() -> None:
        for _ in range(10):
            key = random.choice("ab")
            wanting = asyncio.create_task(bindings.want(key))
            if random.random() < 0.2:
                await asyncio.sleep(0)
                wanting.cancel()
            (result,) = await asyncio.gather(wanting, return_exceptions=True)
            if result is None:
                for _ in range(random.randrange(4)):
                    assert key in listening.keys
                    await asyncio.sleep(0)
                bindings.drop(key)

    changing = asyncio.create_task(weather())
    await asyncio.gather(*(visitor() for _ in range(5)))
    changing.cancel()
    bus.free_to_bind.set()
    bus.free_to_unbind.set()
    await settle(100)
    assert listening.keys == set()
    await bindings.close()


class Unwalked(Counter[str]):
    """Says what it knows of a key, and never which keys it has."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("a round walks through all that is wanted")

    def keys(self) -> NoReturn:
        raise AssertionError("a round walks through all that is wanted")


async def test_a_round_costs_what_changes_and_not_what_is_wanted() -> None:
    """Ten thousand users who come one after the other would cost their square."""
    _, listening, bindings = await place()
    bindings._wanted = Unwalked()
    await bindings.want("a")
    await bindings.want("b")
    bindings.drop("a")
    await settle()
    assert listening.keys == {"b"}
