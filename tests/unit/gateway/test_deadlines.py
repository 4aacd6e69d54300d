"""`deadlines`: one heap and one timer for what must happen to connections at a time."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from allibe_gateway.deadlines import Deadlines
from allibe_services.contracts.errors import AllibeError, TokenExpired, TokenRequired
from tests.support.until import until


class Owner:
    """A connection: keeps what it was told."""

    def __init__(self, on_deadline: Callable[[], None] = lambda: None) -> None:
        self.told: list[type[AllibeError]] = []
        self._then = on_deadline

    def on_deadline(self, error: type[AllibeError]) -> None:
        self.told.append(error)
        self._then()


class Clock:
    """Wall-clock time that the test sets; the loop's timers still run on their own."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deadlines(clock: Clock) -> Iterator[Deadlines]:
    deadlines = Deadlines(clock)
    yield deadlines
    deadlines.close()


def fire(deadlines: Deadlines) -> None:
    """Do what the timer does when its time has come."""
    deadlines._fire()


async def test_an_owner_is_told_when_its_time_has_come() -> None:
    deadlines = Deadlines(asyncio.get_running_loop().time)
    owner = Owner()
    deadlines.set(owner, asyncio.get_running_loop().time() + 0.005, TokenRequired)
    await until(lambda: owner.told == [TokenRequired])
    deadlines.close()


async def test_a_time_that_is_over_comes_at_once(deadlines: Deadlines, clock: Clock) -> None:
    owner = Owner()
    deadlines.set(owner, clock.now - 5, TokenExpired)
    assert owner.told == []  # not from within `set`
    await until(lambda: owner.told == [TokenExpired])


async def test_each_is_told_once_in_the_order_of_their_times(
    deadlines: Deadlines, clock: Clock
) -> None:
    order: list[str] = []
    owners = {name: Owner(lambda name=name: order.append(name)) for name in "cab"}  # type: ignore[misc]
    for name, seconds in (("c", 30), ("a", 10), ("b", 20)):
        deadlines.set(owners[name], clock.now + seconds, TokenExpired)
    clock.now += 25
    fire(deadlines)
    assert order == ["a", "b"]
    clock.now += 25
    fire(deadlines)
    fire(deadlines)
    assert order == ["a", "b", "c"]


async def test_setting_again_replaces_what_was_set(deadlines: Deadlines, clock: Clock) -> None:
    """A token extends the time; its owner's old deadline must not end it."""
    owner = Owner()
    deadlines.set(owner, clock.now + 10, TokenRequired)
    deadlines.set(owner, clock.now + 60, TokenExpired)
    clock.now += 30
    fire(deadlines)
    assert owner.told == []
    deadlines.set(owner, clock.now + 5, TokenExpired)  # an earlier one counts as well
    clock.now += 10
    fire(deadlines)
    assert owner.told == [TokenExpired]
    clock.now += 60
    fire(deadlines)
    assert owner.told == [TokenExpired]


async def test_what_was_dropped_does_not_come(deadlines: Deadlines, clock: Clock) -> None:
    owner = Owner()
    deadlines.set(owner, clock.now + 10, TokenRequired)
    deadlines.drop(owner)
    deadlines.drop(owner)
    clock.now += 20
    fire(deadlines)
    assert owner.told == []


async def test_a_timer_that_fires_early_is_aimed_again(deadlines: Deadlines, clock: Clock) -> None:
    """The wall clock may be set back, and waits of more than an hour are cut."""
    owner = Owner()
    deadlines.set(owner, clock.now + 10, TokenRequired)
    clock.now -= 100
    fire(deadlines)
    assert owner.told == []
    assert deadlines._timer is not None
    clock.now += 120
    fire(deadlines)
    assert owner.told == [TokenRequired]


@pytest.mark.parametrize("when", [1e300, float("inf")])
async def test_a_time_beyond_all_clocks_is_no_error(
    deadlines: Deadlines, clock: Clock, when: float
) -> None:
    deadlines.set(Owner(), when, TokenExpired)
    near = Owner()
    deadlines.set(near, clock.now + 1, TokenExpired)
    clock.now += 2
    fire(deadlines)
    assert near.told == [TokenExpired]


async def test_an_earlier_time_re_aims_the_timer(deadlines: Deadlines, clock: Clock) -> None:
    deadlines.set(Owner(), clock.now + 3000, TokenExpired)
    near = Owner()
    deadlines.set(near, clock.now, TokenExpired)
    await until(lambda: near.told == [TokenExpired])


async def test_one_that_sets_or_drops_from_within_its_call_is_heard(
    deadlines: Deadlines, clock: Clock
) -> None:
    other = Owner()

    def then() -> None:
        deadlines.drop(other)
        deadlines.set(owner, clock.now + 10, TokenRequired)

    owner = Owner(then)
    deadlines.set(owner, clock.now + 1, TokenExpired)
    deadlines.set(other, clock.now + 2, TokenExpired)
    clock.now += 5
    fire(deadlines)
    assert (owner.told, other.told) == ([TokenExpired], [])
    clock.now += 10
    fire(deadlines)
    assert owner.told == [TokenExpired, TokenRequired]


async def test_one_that_fails_does_not_keep_the_others_from_theirs(
    deadlines: Deadlines, clock: Clock
) -> None:
    """The timer is everybody's: all tokens would outlive their end."""

    def fail() -> None:
        raise LookupError

    first, second, third = Owner(fail), Owner(), Owner()
    deadlines.set(first, clock.now + 1, TokenExpired)
    deadlines.set(second, clock.now + 1, TokenExpired)
    deadlines.set(third, clock.now + 50, TokenExpired)
    clock.now += 5
    fire(deadlines)
    assert second.told == [TokenExpired]
    assert deadlines._timer is not None


async def test_owners_that_are_gone_are_not_kept_until_their_time(
    deadlines: Deadlines, clock: Clock
) -> None:
    """I7: ten thousand connections that left would stay in memory for as long as their tokens."""
    owners = [Owner() for _ in range(1000)]
    for owner in owners:
        deadlines.set(owner, clock.now + 10, TokenRequired)
        deadlines.set(owner, clock.now + 86_400, TokenExpired)
    for owner in owners[1:]:
        deadlines.drop(owner)
    assert len(deadlines._heap) < 100
    clock.now += 86_401
    fire(deadlines)
    assert [len(one.told) for one in owners] == [1] + [0] * 999


async def test_setting_the_same_again_and_again_stays_small(
    deadlines: Deadlines, clock: Clock
) -> None:
    owner = Owner()
    for second in range(1000):
        deadlines.set(owner, clock.now + second, TokenExpired)
    assert len(deadlines._heap) < 100


async def test_nothing_comes_after_close(clock: Clock) -> None:
    deadlines = Deadlines(clock)
    owner = Owner()
    deadlines.set(owner, clock.now, TokenExpired)
    deadlines.close()
    await asyncio.sleep(0.005)
    assert owner.told == []
