"""`handlers.pushes`: the key, and browsers that are put here and taken away."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from allibe_rooms_api.app import create_app
from allibe_rooms_api.call import Context
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.push import Subscription
from allibe_services.outbound import Rules
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics
from tests.support.push_browser import PushBrowser
from tests.unit.rooms_api.api import Answer, Api

KEY = "/api/chat/push-key"
SUBSCRIPTIONS = "/api/chat/push-subscriptions"
RENEWALS = f"{SUBSCRIPTIONS}/renewals"
ALICE, BOB = UserId("alice"), UserId("bob")
PHONE = PushBrowser().subscription("https://push.example.net/phone")


@pytest.fixture
def push_key() -> str | None:
    return "the-public-key"


@pytest.fixture
def push_rules() -> Rules:
    return Rules()


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
def app(
    context: Callable[..., Context], push_key: str | None, push_rules: Rules, policy: Policy
) -> web.Application:
    limiter = Limiter(policy, LimitMetrics(CollectorRegistry()))
    return create_app(context(push_key=push_key, push_rules=push_rules, limiter=limiter))


async def put(api: Api, subscription: Any, **options: Any) -> Answer:
    return await api.ask("PUT", SUBSCRIPTIONS, json=subscription, **options)


def told(subscription: Subscription = PHONE, **changes: Any) -> dict[str, Any]:
    """Return what a browser's `PushSubscription.toJSON()` says."""
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    return {"endpoint": subscription.endpoint, "expirationTime": None, "keys": keys} | changes


async def test_the_key_is_shown_to_users(api: Api) -> None:
    answer = await api.ask("GET", KEY)
    assert (answer.status, answer.json) == (200, {"key": "the-public-key"})
    assert (await api.ask("GET", KEY, user=None)).outcome == (401, "token_required")


@pytest.mark.parametrize("push_key", [None])
async def test_without_a_key_nobody_can_subscribe_and_everybody_can_unsubscribe(api: Api) -> None:
    assert (await api.ask("GET", KEY)).outcome == (404, "push_off")
    assert (await put(api, told())).outcome == (404, "push_off")
    await api.store.pushes.subscribe(ALICE, PHONE)
    answer = await api.ask("DELETE", SUBSCRIPTIONS, json={"endpoint": PHONE.endpoint})
    assert (answer.status, api.store.pushes.kept) == (204, [])


async def test_what_a_browser_says_is_kept_as_its_users(api: Api) -> None:
    answer = await put(api, told(expirationTime=1_740_000_000_000, other="ignored"))
    assert (answer.status, answer.json) == (204, None)
    assert api.store.pushes.kept == [(ALICE, PHONE)]


async def test_a_user_takes_only_his_own_away(api: Api) -> None:
    await put(api, told())
    for endpoint in (PHONE.endpoint, "https://push.example.net/unknown", "\0", ""):
        answer = await api.ask("DELETE", SUBSCRIPTIONS, user="bob", json={"endpoint": endpoint})
        assert answer.status == 204
    assert api.store.pushes.kept == [(ALICE, PHONE)]
    answer = await api.ask("DELETE", SUBSCRIPTIONS, json={"endpoint": PHONE.endpoint})
    assert (answer.status, api.store.pushes.kept) == (204, [])


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "phone",
        "http://push.example.net/phone",
        "https://push.example.net:8443/phone",
        "https://user:password@push.example.net/phone",
        "https://127.0.0.1/phone",
        "https://[::1]/phone",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/phone",
        "https://push.example.net/a b",
        "https://push.example.net/\0",
        "https://push.example.net/" + "x" * 2048,
        "ftp://push.example.net/phone",
        7,
        None,
    ],
)
async def test_an_endpoint_that_must_not_be_asked_is_refused_at_once(
    api: Api, endpoint: object
) -> None:
    assert (await put(api, told(endpoint=endpoint))).outcome == (400, "bad_request")
    assert api.store.pushes.kept == []


@pytest.mark.parametrize("push_rules", [Rules(hosts=("*.example.net",))])
async def test_where_hosts_are_listed_others_are_refused(api: Api) -> None:
    """And what is refused is not repeated: the path is a secret, and answers may be logged."""
    answer = await put(api, told(endpoint="https://elsewhere.example.com/the-secret"))
    assert answer.outcome == (400, "bad_request")
    assert "the-secret" not in str(answer.json)
    assert (await put(api, told())).status == 204


@pytest.mark.parametrize(
    "keys",
    [
        None,
        {},
        {"p256dh": PHONE.p256dh},
        {"p256dh": PHONE.p256dh, "auth": ""},
        {"p256dh": PHONE.p256dh, "auth": PHONE.auth[:-1]},
        {"p256dh": PHONE.p256dh, "auth": PHONE.auth + "AA"},
        {"p256dh": PHONE.p256dh[:-1], "auth": PHONE.auth},
        {"p256dh": "A" + PHONE.p256dh[1:], "auth": PHONE.auth},
        {"p256dh": PHONE.p256dh, "auth": "!" * 22},
    ],
    ids=range(9),  # each process must collect the same
)
async def test_keys_that_cannot_be_are_refused(api: Api, keys: object) -> None:
    assert (await put(api, told(keys=keys))).outcome == (400, "bad_request")
    assert api.store.pushes.kept == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_strangers_are_refused(api: Api, method: str) -> None:
    answer = await api.ask(method, SUBSCRIPTIONS, user=None, json=told())
    assert answer.outcome == (401, "token_required")


LAPTOP = PushBrowser().subscription("https://push.example.net/laptop")


async def renew(api: Api, old: dict[str, Any], new: Any) -> Answer:
    """Ask as a service worker does: without a token."""
    return await api.ask("POST", RENEWALS, user=None, json={"old": old, "new": new})


async def test_a_service_worker_renews_with_the_old_secret_and_no_token(api: Api) -> None:
    await put(api, told())
    old = {"endpoint": PHONE.endpoint, "auth": PHONE.auth}
    answer = await renew(api, old, told(LAPTOP))
    assert (answer.status, answer.json) == (204, None)
    assert api.store.pushes.kept == [(ALICE, LAPTOP)]
    assert (await renew(api, old, told(LAPTOP))).outcome == (404, "unknown_subscription")


async def test_an_endpoint_alone_renews_nothing_and_is_not_told_apart(api: Api) -> None:
    await put(api, told())
    unknown = await renew(api, {"endpoint": LAPTOP.endpoint, "auth": LAPTOP.auth}, told(LAPTOP))
    for auth in ("", LAPTOP.auth, PHONE.auth[:-1]):
        answer = await renew(api, {"endpoint": PHONE.endpoint, "auth": auth}, told(LAPTOP))
        assert (answer.status, answer.json) == (404, unknown.json)
    assert unknown.json["code"] == "unknown_subscription"
    assert api.store.pushes.kept == [(ALICE, PHONE)]


async def test_what_may_not_be_asked_is_no_renewal(api: Api) -> None:
    await put(api, told())
    old = {"endpoint": PHONE.endpoint, "auth": PHONE.auth}
    for new in (told(endpoint="https://127.0.0.1/x"), told(keys={}), None):
        assert (await renew(api, old, new)).outcome == (400, "bad_request")
    answer = await api.ask("POST", RENEWALS, user=None, json={"new": told()})
    assert answer.outcome == (400, "bad_request")
    assert api.store.pushes.kept == [(ALICE, PHONE)]


@pytest.mark.parametrize("push_key", [None])
async def test_without_a_key_nothing_is_renewed(api: Api) -> None:
    old = {"endpoint": PHONE.endpoint, "auth": PHONE.auth}
    assert (await renew(api, old, told(LAPTOP))).outcome == (404, "push_off")


@pytest.mark.parametrize("policy", [Policy(user_requests=Rate(1 / 3600, 1))])
async def test_strangers_renew_at_the_rate_of_one_user(api: Api) -> None:
    old = {"endpoint": LAPTOP.endpoint, "auth": LAPTOP.auth}
    assert (await renew(api, old, told())).status == 404
    assert (await renew(api, old, told())).outcome == (429, "rate_limited")
    assert (await put(api, told())).status == 204
