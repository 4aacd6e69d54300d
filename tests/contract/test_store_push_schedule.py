"""`store.base.PushQueue`: rooms' news become scheduled pushes, each member once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import NewsPage, Scheduling
from allibe_services.store.base import Store
from tests.support.push_browser import PushBrowser
from tests.support.push_queue import HOUR, decide_all, turn

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
ONE = RoomId("1")
Post = Callable[..., PostMessage]


@pytest.fixture(autouse=True)
async def room(store: Store) -> None:
    await store.rooms.create("Project Team", ALICE, members=[BOB, CAROL], room_id=ONE)


async def page(store: Store, most: int = 10) -> NewsPage:
    found = await store.push_queue.page(ONE, most=most)
    assert found is not None
    return found


async def test_without_news_there_is_no_page(store: Store, post: Post) -> None:
    assert await store.push_queue.page(ONE, most=10) is None
    assert await store.push_queue.page(RoomId("unknown"), most=10) is None
    await store.log.append([post()])
    await decide_all(store, ONE)
    assert await store.push_queue.page(ONE, most=10) is None


async def test_a_page_has_members_and_what_matters_of_them(store: Store, post: Post) -> None:
    await store.log.append([post(), post()])
    await store.members.mark_read(ONE, ALICE, 2)
    await store.notifications.mute(BOB, ONE, None)
    await store.notifications.mute(CAROL, ONE, now() - HOUR)
    await store.pushes.subscribe(CAROL, PushBrowser().subscription("https://push.example.net/1"))
    found = await page(store)
    assert (found.offset, found.target, found.is_last, found.sole_sender) == (0, 2, True, ALICE)
    assert [
        (one.user, one.read_offset, one.is_muted, one.is_subscribed) for one in found.candidates
    ] == [(ALICE, 2, False, False), (BOB, 0, True, False), (CAROL, 0, False, True)]


async def test_of_two_senders_there_is_no_sole_one(store: Store, post: Post) -> None:
    await store.log.append([post(), post(sender="bob")])
    assert (await page(store)).sole_sender is None


async def test_a_round_keeps_its_target_and_the_next_one_has_the_rest(
    store: Store, post: Post
) -> None:
    await store.log.append([post()])
    seen = []
    first = await page(store, 2)
    assert await store.push_queue.schedule(first, [], expires_at=now() + HOUR)
    await store.log.append([post(), post()])
    while (found := await store.push_queue.page(ONE, most=2)) is not None:
        seen.append((found.offset, found.target, [one.user for one in found.candidates]))
        assert await store.push_queue.schedule(found, [], expires_at=now() + HOUR)
    assert [one.user for one in first.candidates] == [ALICE, BOB]
    assert seen == [(0, 1, [CAROL]), (1, 3, [ALICE, BOB]), (1, 3, [CAROL])]


async def test_a_page_that_another_has_passed_is_not_scheduled(store: Store, post: Post) -> None:
    await store.log.append([post()])
    while True:
        stale = await page(store, 1)
        assert await store.push_queue.schedule(stale, [], expires_at=now() + HOUR)
        assert not await store.push_queue.schedule(stale, [], expires_at=now() + HOUR)
        if stale.candidates[-1].user == CAROL:
            break


async def test_of_several_who_schedule_a_page_one_does(
    open_store: Callable[[], Awaitable[Store]], store: Store, post: Post
) -> None:
    await store.log.append([post()])
    stores = [await open_store() for _ in range(3)]
    pages = await asyncio.gather(*(page(one) for one in stores))
    decided = [Scheduling(BOB, PushReason.SCHEDULED, now())]
    done = await asyncio.gather(
        *(
            one.push_queue.schedule(found, decided, expires_at=now() + HOUR)
            for one, found in zip(stores, pages, strict=True)
        )
    )
    assert sorted(done) == [False, False, True]
    assert (await turn(store)).push.user == BOB


async def test_what_waits_is_not_scheduled_twice_and_tells_of_all(store: Store, post: Post) -> None:
    await store.log.append([post(content="one")])
    await decide_all(store, ONE, due_at={BOB: now()})
    await store.log.append([post(content="two")])
    await decide_all(store, ONE, due_at={BOB: now() + HOUR})
    due = (await turn(store)).push
    assert (due.first_offset, due.told_offset, due.messages) == (1, 2, 2)
    assert (await store.push_queue.claim(most=9, length=HOUR)).users == ()


async def test_it_may_become_due_earlier_by_another_room_and_never_later(
    store: Store, post: Post
) -> None:
    two = RoomId("2")
    await store.rooms.create("Two", ALICE, members=[BOB], room_id=two)
    await store.log.append([post(), post(room="2")])
    await decide_all(store, ONE, due_at={BOB: now() + HOUR})
    assert (await store.push_queue.claim(most=9, length=HOUR)).users == ()
    await decide_all(store, two, due_at={BOB: now()})
    assert (await turn(store)).push.room_id == two


async def test_decisions_are_kept_for_each_user_the_newest_of_a_reason(
    store: Store, post: Post
) -> None:
    reasons = {ALICE: PushReason.OWN, BOB: PushReason.LOOKING, CAROL: PushReason.MUTED}
    for _ in range(2):
        await store.log.append([post()])
        await decide_all(store, ONE, reasons=reasons)
    for user, reason in reasons.items():
        (decision,) = await store.notifications.decisions(user)
        assert (decision.room_id, decision.reason) == (ONE, reason)
        assert now() - timedelta(minutes=1) < decision.at <= now()


async def test_rooms_that_are_behind_are_found_in_bounded_steps(store: Store, post: Post) -> None:
    names = [RoomId(f"r{number}") for number in range(5)]
    for name in names:
        await store.rooms.create("room", ALICE, room_id=name)
    await store.log.append([post(room=name) for name in names[1:]])
    await decide_all(store, names[2])
    since, until = now() - HOUR, now() + HOUR

    found, after, steps = [], None, 0
    while True:
        some, after = await store.push_queue.behind(after, most=2, since=since, until=until)
        found += some
        steps += 1
        if after is None:
            break
    assert found == [names[1], names[3], names[4]]
    assert steps == 4  # six rooms, and the end

    for window in ((until, until), (since, since)):
        some, _ = await store.push_queue.behind(None, most=99, since=window[0], until=window[1])
        assert some == []


async def test_a_page_tells_whose_push_waits_and_will_tell_of_the_news(
    store: Store, post: Post
) -> None:
    """Not one that somebody has claimed: it may be on its way with less."""

    async def waiting() -> dict[str, bool]:
        await store.log.append([post()])
        return {one.user: one.is_waiting for one in (await page(store)).candidates}

    assert await waiting() == {ALICE: False, BOB: False, CAROL: False}
    await decide_all(store, ONE, due_at={BOB: now()})
    assert await waiting() == {ALICE: False, BOB: True, CAROL: False}
    one = await turn(store)
    assert (await waiting())[BOB] is False
    await decide_all(store, ONE)
    last = (await store.log.heads([ONE]))[ONE].last_offset
    assert last > one.push.told_offset
    await store.push_queue.end([one.end()], newer_at=now() + HOUR)
    assert (await waiting())[BOB] is True
