"""`store.base.Revocations`: every sentence of its docstrings, against every store."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from allibe_services.contracts.errors import Overloaded
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.revocations import Revocation
from allibe_services.store import revocations
from allibe_services.store.base import Store
from tests.support.push_browser import PushBrowser

HOUR = timedelta(hours=1)


async def revoke(store: Store, subject: str, hours: float = 1) -> Revocation:
    return await store.revocations.revoke("user", subject, expires_at=now() + hours * HOUR)


async def subjects(store: Store, number: int = 0) -> list[str]:
    _, found = await store.revocations.after(number, most=1000)
    return [one.subject for one in found]


async def test_at_first_there_is_none(store: Store) -> None:
    assert await store.revocations.after(0, most=10) == (0, [])


async def test_what_is_revoked_is_read_by_every_process(
    open_store: Callable[[], Awaitable[Store]],
) -> None:
    one, two = await open_store(), await open_store()
    before = now()
    until = before + HOUR
    user = await one.revocations.revoke("user", "alice", expires_at=until)
    token = await one.revocations.revoke("token", "alice", expires_at=until)
    assert (user.kind, user.subject, user.expires_at) == ("user", "alice", until)
    assert before < user.revoked_at <= now() + timedelta(milliseconds=1)
    assert user.number < token.number
    assert await two.revocations.after(0, most=10) == (token.number, [user, token])


async def test_a_users_browsers_are_pushed_to_no_more(store: Store) -> None:
    """They may be in the hands of whom it is about; a token says nothing of a browser."""
    alice, bob = UserId("alice"), UserId("bob")
    for number, user in enumerate((alice, alice, bob)):
        browser = PushBrowser().subscription(f"https://push.example.net/{number}")
        await store.pushes.subscribe(user, browser)
    await store.revocations.revoke("token", "alice", expires_at=now() + HOUR)
    assert len(await store.pushes.subscriptions(alice)) == 2
    await revoke(store, "alice")
    assert await store.pushes.subscriptions(alice) == []
    assert len(await store.pushes.subscriptions(bob)) == 1


async def test_who_goes_on_from_a_number_gets_what_is_new(store: Store) -> None:
    made = [await revoke(store, f"user-{number}") for number in range(5)]
    last = made[-1].number
    assert await store.revocations.after(made[1].number, most=2) == (last, made[2:4])
    assert await store.revocations.after(last, most=2) == (last, [])


async def test_the_same_again_counts_from_then_and_is_kept_for_the_longer(store: Store) -> None:
    first = await revoke(store, "alice", hours=5)
    again = await revoke(store, "alice", hours=1)
    assert again.number > first.number
    assert again.revoked_at >= first.revoked_at
    assert again.expires_at == first.expires_at
    assert await store.revocations.after(0, most=10) == (again.number, [again])
    longer = await revoke(store, "alice", hours=9)
    assert longer.expires_at > first.expires_at


async def test_what_is_over_is_neither_read_nor_kept(store: Store) -> None:
    gone = await revoke(store, "gone", hours=-1)
    assert await store.revocations.after(0, most=10) == (gone.number, [])
    last = await revoke(store, "alice")
    assert await store.revocations.after(0, most=10) == (last.number, [last])
    assert last.number > gone.number  # also where the last row was forgotten


async def test_more_than_the_bound_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lives already may be revoked again, and what is over makes room."""
    monkeypatch.setattr(revocations, "MOST_REVOCATIONS", 2)
    await revoke(store, "alice")
    await revoke(store, "gone", hours=-1)
    await revoke(store, "bob")
    with pytest.raises(Overloaded):
        await revoke(store, "carol")
    await revoke(store, "alice")
    assert await subjects(store) == ["bob", "alice"]


async def test_no_reader_misses_one_that_was_committed_late(
    open_store: Callable[[], Awaitable[Store]],
) -> None:
    """Many write at once, one reads on from the last number that it saw: it sees all, in order."""
    writers, reader = [await open_store() for _ in range(2)], await open_store()
    writing = [
        asyncio.create_task(revoke(writers[number % 2], f"user-{number}")) for number in range(40)
    ]
    seen: list[Revocation] = []
    while len(seen) < 40:
        done = all(task.done() for task in writing)
        _, found = await reader.revocations.after(seen[-1].number if seen else 0, most=7)
        seen += found
        if done and not found:
            break
    made = await asyncio.gather(*writing)
    assert seen == sorted(made, key=lambda one: one.number)
    assert len({one.number for one in made}) == 40


async def test_a_subject_may_be_as_long_as_a_token_id(store: Store) -> None:
    made = await store.revocations.revoke("token", "~" * 256, expires_at=now() + HOUR)
    assert (await store.revocations.after(0, most=1))[1] == [made]
