"""Limits over HTTP: 429 with `Retry-After`, for all but who speaks for the system."""

from collections.abc import Callable

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from allibe_rooms_api.app import create_app
from allibe_rooms_api.call import Context
from allibe_services.contracts.rooms import Role
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics
from tests.unit.rooms_api.api import ROOM, ROOMS, SYSTEM, Answer, Api

MESSAGES = f"{ROOMS}/{ROOM}/messages"
HOURLY = Rate(1 / 3600, 1)


@pytest.fixture
def policy() -> Policy:
    return Policy(user_messages=HOURLY)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def app(
    context: Callable[..., Context], policy: Policy, registry: CollectorRegistry
) -> web.Application:
    return create_app(context(limiter=Limiter(policy, LimitMetrics(registry))))


async def post(api: Api, user: str = "alice", scopes: frozenset[str] = frozenset()) -> Answer:
    return await api.ask("POST", MESSAGES, user=user, scopes=scopes, json={"content": "hello"})


def exceeded(registry: CollectorRegistry, limit: str, enforced: str = "true") -> float | None:
    labels = {"limit": limit, "enforced": enforced}
    return registry.get_sample_value("allibe_limit_exceeded_total", labels)


async def test_a_user_who_posts_too_fast_is_told_when_to_come_back(
    api: Api, registry: CollectorRegistry
) -> None:
    await api.room(bob=Role.MEMBER)
    assert (await post(api)).status == 201
    answer = await post(api)
    assert answer.outcome == (429, "rate_limited")
    assert answer.json["retryAfterMs"] > 0
    assert int(answer.headers["retry-after"]) == pytest.approx(3600, abs=60)
    assert (await post(api, "bob")).status == 201
    assert (await api.ask("GET", ROOMS)).status == 200
    assert exceeded(registry, "user_messages") == 1


async def test_who_speaks_for_the_system_is_not_asked(api: Api) -> None:
    await api.room()
    for _ in range(3):
        assert (await post(api, "backend", scopes=SYSTEM)).status == 201


@pytest.mark.parametrize("policy", [Policy(room_messages=HOURLY), Policy(slow_mode=HOURLY)])
async def test_rooms_and_slow_mode(api: Api) -> None:
    await api.room()
    assert (await post(api)).status == 201
    assert (await post(api)).outcome == (429, "rate_limited")


@pytest.mark.parametrize("policy", [Policy(user_requests=HOURLY)])
async def test_any_request_of_a_user_counts(api: Api, registry: CollectorRegistry) -> None:
    assert (await api.ask("GET", ROOMS)).status == 200
    assert (await api.ask("GET", ROOMS)).outcome == (429, "rate_limited")
    assert (await api.ask("GET", ROOMS, user="bob")).status == 200
    for _ in range(3):
        assert (await api.ask("GET", ROOMS, user="backend", scopes=SYSTEM)).status == 200
    assert exceeded(registry, "user_requests") == 1


@pytest.mark.parametrize(
    "policy", [Policy(user_requests=HOURLY, dry_run=frozenset({"user_requests"}))]
)
async def test_a_dry_run_lets_through(api: Api, registry: CollectorRegistry) -> None:
    for _ in range(3):
        assert (await api.ask("GET", ROOMS)).status == 200
    assert exceeded(registry, "user_requests", "false") == 2
