"""`store.base.Pushes`: every sentence of its docstrings, against every store."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from allibe_services.contracts.errors import Conflict
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.push import ENDPOINT_LENGTH, Subscription
from allibe_services.store import subscriptions
from allibe_services.store.base import Store
from tests.support.push_browser import PushBrowser

ALICE, BOB = UserId("alice"), UserId("bob")


def subscription(name: str) -> Subscription:
    return PushBrowser().subscription(f"https://push.example.net/{name}")


async def test_at_first_there_is_none(store: Store) -> None:
    assert await store.pushes.subscriptions(ALICE) == []


async def test_what_is_subscribed_is_read_by_every_process_the_newest_first(
    open_store: Callable[[], Awaitable[Store]],
) -> None:
    one, two = await open_store(), await open_store()
    phone, laptop, other = (subscription(name) for name in ("phone", "laptop", "other"))
    await one.pushes.subscribe(ALICE, phone)
    await asyncio.sleep(0.002)
    await one.pushes.subscribe(ALICE, laptop)
    await one.pushes.subscribe(BOB, other)
    assert await two.pushes.subscriptions(ALICE) == [laptop, phone]
    assert await two.pushes.subscriptions(BOB) == [other]


async def test_the_same_endpoint_again_replaces_the_keys(store: Store) -> None:
    first = subscription("phone")
    again = msgspec.structs.replace(first, auth=subscription("x").auth)
    await store.pushes.subscribe(ALICE, first)
    await store.pushes.subscribe(ALICE, again)
    assert await store.pushes.subscriptions(ALICE) == [again]


async def test_a_browser_has_one_user(store: Store) -> None:
    shared = subscription("shared")
    await store.pushes.subscribe(ALICE, shared)
    await store.pushes.subscribe(BOB, shared)
    assert await store.pushes.subscriptions(ALICE) == []
    assert await store.pushes.subscriptions(BOB) == [shared]


async def test_who_only_knows_an_endpoint_takes_it_from_nobody(store: Store) -> None:
    phone = subscription("phone")
    await store.pushes.subscribe(ALICE, phone)
    with pytest.raises(Conflict):
        await store.pushes.subscribe(BOB, subscription("phone"))
    assert await store.pushes.subscriptions(ALICE) == [phone]
    assert await store.pushes.subscriptions(BOB) == []


class TestRenewing:
    async def test_the_new_one_takes_the_place_of_the_old(self, store: Store) -> None:
        old, new, other = (subscription(name) for name in ("old", "new", "other"))
        await store.pushes.subscribe(ALICE, other)
        await store.pushes.subscribe(ALICE, old)
        assert await store.pushes.renew(old.endpoint, old.auth + "==", new) == ALICE
        assert sorted(await store.pushes.subscriptions(ALICE), key=endpoint_of) == [new, other]

    async def test_without_endpoint_and_secret_of_one_nothing_is_changed(
        self, store: Store
    ) -> None:
        old, new = subscription("old"), subscription("new")
        await store.pushes.subscribe(ALICE, old)
        for endpoint, auth in (
            (old.endpoint, new.auth),
            (old.endpoint, ""),
            (old.endpoint, "é"),
            (new.endpoint, old.auth),
            ("", old.auth),
        ):
            assert await store.pushes.renew(endpoint, auth, new) is None
        assert await store.pushes.subscriptions(ALICE) == [old]

    async def test_a_secret_is_good_for_once(self, store: Store) -> None:
        old, new, third = (subscription(name) for name in ("old", "new", "third"))
        await store.pushes.subscribe(ALICE, old)
        await store.pushes.renew(old.endpoint, old.auth, new)
        assert await store.pushes.renew(old.endpoint, old.auth, third) is None
        assert await store.pushes.subscriptions(ALICE) == [new]

    async def test_at_once_it_is_renewed_once(self, store: Store) -> None:
        old, new = subscription("old"), subscription("new")
        await store.pushes.subscribe(ALICE, old)
        renewing = [store.pushes.renew(old.endpoint, old.auth, new) for _ in range(5)]
        assert sorted(await asyncio.gather(*renewing), key=str) == [None] * 4 + [ALICE]
        assert await store.pushes.subscriptions(ALICE) == [new]

    async def test_a_new_one_that_is_known_stays_whose_it_is(self, store: Store) -> None:
        """The page was quicker; or somebody names another's endpoint as his own."""
        old, bobs = subscription("old"), subscription("bob")
        await store.pushes.subscribe(ALICE, old)
        await store.pushes.subscribe(BOB, bobs)
        stolen = msgspec.structs.replace(old, endpoint=bobs.endpoint)
        assert await store.pushes.renew(old.endpoint, old.auth, stolen) == ALICE
        assert await store.pushes.subscriptions(ALICE) == []
        assert await store.pushes.subscriptions(BOB) == [bobs]

    async def test_new_keys_of_the_same_endpoint_replace_the_old(self, store: Store) -> None:
        old, new = subscription("same"), subscription("same")
        await store.pushes.subscribe(ALICE, old)
        assert await store.pushes.renew(old.endpoint, old.auth, new) == ALICE
        assert await store.pushes.subscriptions(ALICE) == [new]


def endpoint_of(one: Subscription) -> str:
    return one.endpoint


async def test_unsubscribing_forgets_it_and_ignores_what_is_not_ours(store: Store) -> None:
    phone = subscription("phone")
    await store.pushes.subscribe(ALICE, phone)
    await store.pushes.unsubscribe(BOB, phone.endpoint)
    await store.pushes.unsubscribe(ALICE, "https://push.example.net/unknown")
    assert await store.pushes.subscriptions(ALICE) == [phone]
    await store.pushes.unsubscribe(ALICE, phone.endpoint)
    await store.pushes.unsubscribe(ALICE, phone.endpoint)
    assert await store.pushes.subscriptions(ALICE) == []


async def test_of_too_many_the_oldest_are_forgotten(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_SUBSCRIPTIONS", 3)
    made = [subscription(str(number)) for number in range(5)]
    await store.pushes.subscribe(BOB, subscription("bob"))
    for one in made:
        await store.pushes.subscribe(ALICE, one)
        await asyncio.sleep(0.002)
    assert await store.pushes.subscriptions(ALICE) == made[:1:-1]
    assert len(await store.pushes.subscriptions(BOB)) == 1


async def test_subscribing_at_once_ends_in_one(store: Store) -> None:
    phone = subscription("phone")
    await asyncio.gather(*(store.pushes.subscribe(ALICE, phone) for _ in range(5)))
    assert await store.pushes.subscriptions(ALICE) == [phone]


async def test_the_longest_endpoint_and_user_fit(store: Store) -> None:
    start = "https://push.example.net/"
    longest = PushBrowser().subscription(start + "x" * (ENDPOINT_LENGTH - len(start)))
    user = UserId("u" * 128)
    await store.pushes.subscribe(user, longest)
    assert await store.pushes.subscriptions(user) == [longest]
