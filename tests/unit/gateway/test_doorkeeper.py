"""`doorkeeper`: how many connections, from where, how fast."""

from unittest.mock import Mock

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from allibe_gateway.addresses import Addresses
from allibe_gateway.doorkeeper import LONGEST_HINT, MOST_REFUSED, Doorkeeper, Place
from allibe_services.contracts.errors import Overloaded, RateLimited
from allibe_services.contracts.ids import UserId
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics
from tests.unit.gateway.test_inbound import Clock

ONE, OTHER, PRIVATE = "20.0.0.1", "20.0.0.2", "10.0.0.1"


REQUESTS = {
    address: Mock(spec=web.BaseRequest, remote=address) for address in (ONE, OTHER, PRIVATE, None)
}


class Entrance:
    """A doorkeeper with its clock and figures."""

    def __init__(self, **policy: object) -> None:
        self.clock, self.registry = Clock(), CollectorRegistry()
        metrics = LimitMetrics(self.registry)
        self.limiter = Limiter(Policy(**policy), metrics, clock=self.clock)  # type: ignore[arg-type]
        self.doorkeeper = Doorkeeper(self.limiter, Addresses(), jitter=lambda: 0.5)

    def enter(self, address: str | None = ONE) -> Place:
        return self.doorkeeper.enter(REQUESTS[address])

    def opened(self, address: str | None = ONE) -> bool:
        return self.enter(address).refusal is None

    def exceeded(self, limit: str, enforced: str = "true") -> float | None:
        labels = {"limit": limit, "enforced": enforced}
        return self.registry.get_sample_value("allibe_limit_exceeded_total", labels)


def test_connections_from_one_address() -> None:
    entrance = Entrance(address_connections=2)
    first = entrance.enter()
    assert [entrance.opened() for _ in range(2)] == [True, False]
    assert entrance.opened(OTHER)
    refusal = entrance.enter().refusal
    assert isinstance(refusal, RateLimited)
    assert refusal.retry_after_ms
    entrance.doorkeeper.leave(first)
    assert entrance.opened()
    assert entrance.exceeded("address_connections") == 2


def test_refused_ones_do_not_count_for_their_address() -> None:
    entrance = Entrance(address_connections=1)
    first, refused = entrance.enter(), entrance.enter()
    assert refused.refusal is not None
    entrance.doorkeeper.leave(first)
    entrance.doorkeeper.leave(refused)
    assert entrance.opened()
    assert not entrance.opened()


def test_where_the_address_is_not_known_nothing_is_counted_by_it() -> None:
    entrance = Entrance(address_connections=1)
    assert all(entrance.opened(PRIVATE) for _ in range(5))


def test_connections_that_nobody_has_signed_in_on() -> None:
    entrance = Entrance(unsigned_connections=2)
    for _ in range(2):
        assert entrance.opened()
    refusal = entrance.enter().refusal
    assert isinstance(refusal, Overloaded)
    assert refusal.retry_after_ms == 6_000
    entrance.limiter.sign_in(UserId("alice"))
    assert entrance.opened()
    assert entrance.exceeded("unsigned_connections") == 1


def test_those_that_are_refused_are_not_among_them() -> None:
    """Who is told to go, as often as he likes, keeps nobody else out."""
    entrance = Entrance(unsigned_connections=2, address_connections=1)
    first = entrance.enter()
    assert not any(entrance.opened() for _ in range(9))
    assert entrance.opened(OTHER)
    assert not entrance.opened(PRIVATE)
    entrance.doorkeeper.leave(first)
    assert entrance.opened(PRIVATE)


def test_new_connections_at_once_and_then_at_the_rate() -> None:
    entrance = Entrance(new_connections=Rate(10, 3))
    assert [entrance.opened() for _ in range(5)] == [True, True, True, False, False]
    entrance.clock.now += 0.1
    assert [entrance.opened() for _ in range(2)] == [True, False]


def test_each_that_is_refused_gets_a_moment_of_its_own() -> None:
    """Who comes back when told meets no others: as fast as they can be taken then."""
    entrance = Entrance(new_connections=Rate(10, 3))
    for _ in range(3):
        entrance.opened()
    hints = []
    for _ in range(400):
        refusal = entrance.enter().refusal
        assert refusal is not None
        assert refusal.retry_after_ms is not None
        hints.append(refusal.retry_after_ms)
    assert hints[0] == pytest.approx(1_200, abs=2)
    assert hints[10] - hints[0] == pytest.approx(1_000, abs=2)
    assert max(hints) == pytest.approx(LONGEST_HINT * 1000, abs=2)


def test_dry_runs_count_and_let_in() -> None:
    names = ("new_connections", "address_connections", "unsigned_connections")
    entrance = Entrance(
        new_connections=Rate(1, 1),
        address_connections=1,
        unsigned_connections=1,
        dry_run=frozenset(names),
    )
    for _ in range(3):
        assert entrance.opened()
    assert [entrance.exceeded(name, "false") for name in names] == [2, 2, 2]


def test_how_many_are_told_at_a_time_is_bounded() -> None:
    entrance = Entrance(address_connections=1)
    entrance.opened()
    told = [entrance.enter() for _ in range(MOST_REFUSED)]
    assert all(one.tells for one in told)
    not_told = entrance.enter()
    assert not_told.refusal is not None
    assert not not_told.tells
    for one in (not_told, told[0]):
        entrance.doorkeeper.leave(one)
    assert entrance.enter().tells
