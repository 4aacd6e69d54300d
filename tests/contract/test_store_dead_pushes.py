"""`store.base.Notifications.dead`: what ended undeliverable, for whom, why, and for how long."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.notifications import DeadPush
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import WEBHOOK, DeadWay
from allibe_services.store import dead_pushes
from allibe_services.store.base import DEAD_KEPT, Store
from tests.support.push_queue import Turn, decide_all, turn

ALICE, BOB = UserId("alice"), UserId("bob")
ROOM = RoomId("1")
GAVE_UP = DeadWay(PushReason.GAVE_UP, PushReason.UNAVAILABLE, WEBHOOK, "https://hook.test")
REJECTED = DeadWay(PushReason.REJECTED, PushReason.REJECTED, "browser", "https://push.test")
Post = Callable[..., PostMessage]


@pytest.fixture(autouse=True)
async def rooms(store: Store) -> None:
    await store.rooms.create("Project Team", ALICE, members=[BOB], room_id=ROOM)


async def died(store: Store, post: Post, *dead: DeadWay) -> Turn:
    """Let a push of bob's end so."""
    await store.log.append([post()])
    await decide_all(store, ROOM, due_at={BOB: now()})
    one = await turn(store)
    await store.push_queue.end([one.end(tries=3, dead=dead)], newer_at=now())
    return one


async def test_each_way_is_shown_with_what_ended_it(store: Store, post: Post) -> None:
    before = now()
    one = await died(store, post, GAVE_UP, REJECTED)
    hook, browser = await store.notifications.dead(most=9)
    assert before - timedelta(milliseconds=1) <= hook.at == browser.at <= now()
    assert hook == DeadPush(
        at=hook.at,
        push_id=one.push.push_id,
        user=BOB,
        room_id=ROOM,
        offset=1,
        way=WEBHOOK,
        service="https://hook.test",
        reason=PushReason.GAVE_UP,
        last=PushReason.UNAVAILABLE,
        tries=3,
    )
    assert (browser.way, browser.reason) == ("browser", PushReason.REJECTED)


async def test_the_newest_come_first_in_pages(store: Store, post: Post) -> None:
    for _ in range(3):
        await died(store, post, GAVE_UP, REJECTED)
    seen: list[DeadPush] = []
    while page := await store.notifications.dead(most=4, after=seen[-1] if seen else None):
        assert len(page) <= 4
        seen += page
    assert [(one.offset, one.way) for one in seen] == [
        (offset, way) for offset in (3, 2, 1) for way in (WEBHOOK, "browser")
    ]


async def test_who_was_overtaken_keeps_none(store: Store, post: Post) -> None:
    """The push is another's, who sends it anew."""
    await store.log.append([post()])
    await decide_all(store, ROOM, due_at={BOB: now()})
    overtaken = await turn(store, length=timedelta(0))
    await turn(store)
    await store.push_queue.end([overtaken.end(dead=(GAVE_UP,))], newer_at=now())
    assert await store.notifications.dead(most=9) == []


async def test_what_is_old_or_too_many_is_forgotten(
    store: Store, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await died(store, post, GAVE_UP)
    assert await store.push_queue.forget(most=9) == 0
    monkeypatch.setattr(dead_pushes, "MOST_DEAD", 3)
    while await store.push_queue.forget(most=1):
        pass
    left = [one.offset for one in await store.notifications.dead(most=9)]
    assert left in ([5, 4, 3], [5, 4], [5])  # of the same millisecond all go together
    monkeypatch.setattr(dead_pushes, "now", lambda: now() + DEAD_KEPT + timedelta(seconds=1))
    await store.push_queue.forget(most=9)
    assert await store.notifications.dead(most=9) == []
