"""`rates.limiter` and `rates.exchange`: refusals, dry runs, figures; several processes as one."""

from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry

from allibe_services.contracts.errors import LeasesUnavailable, RateLimited
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.rates.base import RENEW_SECONDS, Rates, Spent
from allibe_services.rates.exchange import Exchange
from allibe_services.rates.inprocess import InProcessRates
from allibe_services.rates.limiter import Limiter, unlimited
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics

ALICE, BOB = UserId("alice"), UserId("bob")
ONE, TWO = RoomId("1"), RoomId("2")


class Clock:
    def __init__(self) -> None:
        self.now = 5_000.0

    def __call__(self) -> float:
        return self.now


class BrokenRates:
    """`Rates` that are away on demand."""

    def __init__(self, rates: Rates) -> None:
        self.rates = rates
        self.away = False

    async def spend(self, spent: Mapping[str, Spent]) -> dict[str, float]:
        if self.away:
            raise LeasesUnavailable
        return await self.rates.spend(spent)

    async def hold(self, holder: str, counts: Mapping[str, int]) -> dict[str, int]:
        if self.away:
            raise LeasesUnavailable
        return await self.rates.hold(holder, counts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Process:
    """One process of several."""

    def __init__(self, clock: Clock, policy: Policy, rates: Rates) -> None:
        self.registry = CollectorRegistry()
        self.limiter = Limiter(policy, LimitMetrics(self.registry), clock=clock)
        self.rates = BrokenRates(rates)
        self.exchange = Exchange(self.limiter, self.rates)

    def posts(self, count: int, user: UserId = ALICE, room: RoomId = ONE) -> int:
        """Post so many; return how many were let through."""
        done = 0
        for _ in range(count):
            try:
                self.limiter.post(user, room)
            except RateLimited:
                continue
            done += 1
        return done

    def exceeded(self, limit: str, *, enforced: bool = True) -> float:
        labels = {"limit": limit, "enforced": str(enforced).lower()}
        return self.registry.get_sample_value("allibe_limit_exceeded_total", labels) or 0.0


def processes(clock: Clock, count: int = 1, **policy: object) -> list[Process]:
    rates = InProcessRates(clock=clock)
    return [Process(clock, Policy(**policy), rates) for _ in range(count)]  # type: ignore[arg-type]


async def exchanged(*several: Process) -> None:
    """Let all tell, and then all learn."""
    for _ in range(2):
        for one in several:
            await one.exchange.once()


def test_a_user_is_limited_in_all_rooms_together(clock: Clock) -> None:
    [process] = processes(clock, user_messages=Rate(10, 4))
    assert process.posts(3, room=ONE) == 3
    assert process.posts(3, room=TWO) == 1
    assert process.posts(3, BOB) == 3
    assert process.exceeded("user_messages") == 2


def test_a_room_is_limited_for_all_users_together(clock: Clock) -> None:
    [process] = processes(clock, room_messages=Rate(10, 4))
    assert process.posts(3, ALICE) == 3
    assert process.posts(3, BOB) == 1
    assert process.posts(3, BOB, TWO) == 3
    assert process.exceeded("room_messages") == 2


def test_slow_mode_is_for_each_user_in_each_room(clock: Clock) -> None:
    [process] = processes(clock, slow_mode=Rate(1 / 30, 1))
    assert process.posts(2) == 1
    assert process.posts(2, BOB) == 1
    assert process.posts(2, room=TWO) == 1
    with pytest.raises(RateLimited) as refused:
        process.limiter.post(ALICE, ONE)
    assert refused.value.retry_after_ms == 30_000


def test_what_is_refused_by_one_limit_spends_nothing_of_the_others(clock: Clock) -> None:
    [process] = processes(clock, user_messages=Rate(1, 1), room_messages=Rate(1, 2))
    assert process.posts(50, ALICE) == 1
    assert process.posts(1, BOB) == 1


def test_the_error_says_when_to_come_back(clock: Clock) -> None:
    [process] = processes(clock, user_messages=Rate(2, 4))
    process.posts(4)
    with pytest.raises(RateLimited) as refused:
        process.limiter.post(ALICE, ONE)
    assert refused.value.retryable
    assert refused.value.retry_after_ms == 1000
    clock.now += 1
    assert process.posts(2) == 2


def test_a_dry_run_counts_and_lets_through(clock: Clock) -> None:
    [process] = processes(clock, user_messages=Rate(10, 4), dry_run=frozenset({"user_messages"}))
    assert process.posts(10) == 10
    assert process.exceeded("user_messages", enforced=False) == 6
    assert process.exceeded("user_messages") == 0


def test_requests_of_a_user(clock: Clock) -> None:
    [process] = processes(clock, user_requests=Rate(1, 1))
    process.limiter.request(ALICE)
    with pytest.raises(RateLimited):
        process.limiter.request(ALICE)
    process.limiter.request(BOB)
    assert process.exceeded("user_requests") == 1


def test_connections_of_a_user(clock: Clock) -> None:
    [process] = processes(clock, user_connections=2)
    for user in (ALICE, ALICE, BOB):
        process.limiter.arrive()
        process.limiter.sign_in(user)
    process.limiter.arrive()
    with pytest.raises(RateLimited) as refused:
        process.limiter.sign_in(ALICE)
    assert refused.value.retry_after_ms
    assert process.limiter.unsigned == 1
    process.limiter.sign_out(ALICE)
    process.limiter.sign_in(ALICE)
    assert process.exceeded("user_connections") == 1


def test_without_limits_nothing_is_refused() -> None:
    limiter = unlimited()
    for _ in range(10_000):
        limiter.post(ALICE, ONE)
        limiter.request(ALICE)
        limiter.arrive()
        limiter.sign_in(ALICE)


async def test_processes_limit_a_user_together(clock: Clock) -> None:
    one, two = processes(clock, 2, user_messages=Rate(10, 40))
    assert one.posts(40) == 40
    assert two.posts(1) == 1  # it has not heard of it yet
    await exchanged(one, two)
    assert two.posts(10) == 0
    clock.now += 3
    assert one.posts(100) + two.posts(100) <= 2 * 30


async def test_over_time_processes_allow_what_one_would(clock: Clock) -> None:
    """Whatever they allow too much between exchanges they make up for."""
    several = processes(clock, 3, user_messages=Rate(10, 5))
    passed = 0
    for _ in range(300):
        clock.now += 0.2
        passed += sum(one.posts(20) for one in several)
        await exchanged(*several)
    assert 0.8 * 600 <= passed <= 600 + 3 * 5 + 3 * 2


async def test_slow_mode_lasts_no_longer_for_being_told(clock: Clock) -> None:
    one, two = processes(clock, 2, slow_mode=Rate(1 / 30, 1))
    assert one.posts(1) == 1
    clock.now += 0.2
    await exchanged(one, two)
    clock.now += 29.8
    assert one.posts(1) == 1


async def test_connections_of_all_processes_count(clock: Clock) -> None:
    one, two = processes(clock, 2, user_connections=3)
    one.limiter.sign_in(ALICE)
    one.limiter.sign_in(ALICE)
    two.limiter.sign_in(ALICE)
    await exchanged(one, two)
    with pytest.raises(RateLimited):
        two.limiter.sign_in(ALICE)
    one.limiter.sign_out(ALICE)
    await exchanged(one, two)
    clock.now += RENEW_SECONDS
    await exchanged(one, two)
    two.limiter.sign_in(ALICE)


async def test_a_process_that_ends_holds_nothing(clock: Clock) -> None:
    one, two = processes(clock, 2, user_connections=2)
    two.limiter.sign_in(ALICE)
    one.limiter.sign_in(ALICE)
    await exchanged(one, two)
    one.limiter.sign_out(ALICE)
    await one.exchange.end()
    clock.now += RENEW_SECONDS
    await two.exchange.once()
    two.limiter.sign_in(ALICE)


async def test_while_the_others_are_away_each_goes_on_by_itself(clock: Clock) -> None:
    one, two = processes(clock, 2, user_messages=Rate(10, 4), user_connections=2)
    one.rates.away = two.rates.away = True
    assert (one.posts(10), two.posts(10)) == (4, 4)
    one.limiter.sign_in(ALICE)
    await exchanged(one, two)
    clock.now += 10
    one.rates.away = two.rates.away = False
    two.limiter.sign_in(ALICE)
    await exchanged(one, two)
    with pytest.raises(RateLimited):  # what is held was told as soon as it could be
        two.limiter.sign_in(ALICE)
    assert one.posts(10) == 4  # what was spent meanwhile is paid back
    await exchanged(one, two)
    assert two.posts(1) == 1
    await exchanged(one, two)
    assert two.posts(10) == 0
