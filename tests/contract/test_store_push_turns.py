"""`store.base.PushQueue`: turns of users, what they push, and how they end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.notifications import QuietHours
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import WEBHOOK
from allibe_services.store import push_turns
from allibe_services.store.base import Store
from allibe_services.store.sql import SqlStore
from allibe_services.store.subscriptions import id_of
from allibe_services.store.tables import push_subscriptions
from tests.support.push_browser import PushBrowser
from tests.support.push_queue import HOUR, Turn, decide_all, turn

ALICE, BOB = UserId("alice"), UserId("bob")
ONE, TWO = RoomId("1"), RoomId("2")
Post = Callable[..., PostMessage]
BROWSER = PushBrowser().subscription("https://push.example.net/1")


@pytest.fixture(autouse=True)
async def rooms(store: Store) -> None:
    for room_id, name in ((ONE, "Project Team"), (TWO, "Friends")):
        await store.rooms.create(name, ALICE, members=[BOB], room_id=room_id)


async def say(store: Store, *commands: PostMessage) -> None:
    """Store messages, and schedule bob's pushes of them for now."""
    await store.log.append(commands)
    for room_id in sorted({command.room_id for command in commands}):
        await decide_all(store, room_id, due_at={BOB: now()})


async def end(store: Store, one: Turn, **how: object) -> None:
    await store.push_queue.end([one.end(**how)], newer_at=now())


async def nobody_is_due(store: Store) -> bool:
    claim = await store.push_queue.claim(most=10, length=HOUR)
    return await store.push_queue.due(claim.users) == []


async def test_a_due_push_has_all_that_matters_now(store: Store, post: Post) -> None:
    quiet = QuietHours(0, 60, "Asia/Seoul")
    await store.pushes.subscribe(BOB, BROWSER)
    await store.notifications.change_settings(BOB, quiet_hours=quiet)
    await say(
        store,
        post(content="a"),
        post(content="b", sender="bob"),
        post(content="c", name="Alice"),
        post(content="d"),
    )
    await store.members.mark_read(ONE, BOB, 1)
    push = (await turn(store)).push
    assert (push.user, push.room_id, push.room_name) == (BOB, ONE, "Project Team")
    assert (push.first_offset, push.told_offset) == (1, 4)
    assert (push.messages, push.unread_count) == (2, 2)
    assert push.newest == ("alice", "d")
    assert (push.is_member, push.is_muted, push.tries, push.done) == (True, False, 0, frozenset())
    assert push.quiet_hours == quiet
    assert [(one.subscription_id, one.subscription) for one in push.browsers] == [
        (id_of(BROWSER.endpoint), BROWSER)
    ]


async def test_the_newest_is_shown_with_the_senders_name_unless_it_is_the_users_own(
    store: Store, post: Post
) -> None:
    await say(store, post(content="a", name="Alice A."))
    first = await turn(store)
    assert first.push.newest == ("Alice A.", "a")
    await end(store, first)
    await say(store, post(content="b"), post(content="own", sender="bob"))
    assert (await turn(store)).push.newest is None


async def test_what_was_read_muted_or_left_since_shows(store: Store, post: Post) -> None:
    await say(store, post())
    claim = await store.push_queue.claim(most=1, length=HOUR)
    assert claim.users == (BOB,)
    await store.notifications.mute(BOB, ONE, None)
    await store.members.mark_read(ONE, BOB, 1)
    (push,) = await store.push_queue.due(claim.users)
    assert (push.is_muted, push.messages, push.unread_count) == (True, 0, 0)
    await store.members.remove(ONE, BOB)
    (push,) = await store.push_queue.due(claim.users)
    assert (push.is_member, push.messages, push.unread_count) == (False, 0, 0)


async def test_a_claim_says_how_late_it_is(store: Store, post: Post) -> None:
    assert (await store.push_queue.claim(most=9, length=HOUR)).late_seconds == 0
    await store.log.append([post(content="a")])
    await decide_all(store, ONE, due_at={BOB: now() - timedelta(seconds=90)})
    claim = await store.push_queue.claim(most=9, length=HOUR)
    assert claim.users == (BOB,)
    assert 90 <= claim.late_seconds < 100


async def test_a_subscription_that_cannot_be_read_keeps_no_other_from_its_push(
    store: SqlStore, post: Post
) -> None:
    """Another version has written it, or a hand: the worker must not end of it, again and again."""
    broken = PushBrowser().subscription("https://push.example.net/broken")
    for browser in (BROWSER, broken):
        await store.pushes.subscribe(BOB, browser)
    await store._database.write(_break, id_of(broken.endpoint))
    await say(store, post())
    push = (await turn(store)).push
    assert [one.subscription for one in push.browsers] == [BROWSER]


def _break(connection: Connection, name: str) -> None:
    one = push_subscriptions.c.subscription_id == name
    connection.execute(update(push_subscriptions).where(one).values(auth="short"))


async def test_a_user_is_claimed_by_one_at_a_time(
    open_store: Callable[[], Awaitable[Store]], store: Store, post: Post
) -> None:
    await say(store, post(), post(room="2"))
    stores = [await open_store() for _ in range(4)]
    claims = await asyncio.gather(*(one.push_queue.claim(most=9, length=HOUR) for one in stores))
    assert [claim.users for claim in claims if claim.users] == [(BOB,)]


async def test_a_claim_that_is_over_is_taken_by_another_and_changes_no_push(
    store: Store, post: Post
) -> None:
    await say(store, post())
    died = await turn(store, length=timedelta(0))
    other = await turn(store)
    assert other.push == died.push
    await end(store, died, again_at=now(), reasons=(PushReason.SENT,))
    assert await nobody_is_due(store)  # still claimed
    await end(store, other, again_at=now(), tries=1)
    assert (await turn(store)).push.tries == 1


async def test_what_is_over_is_not_due_again(store: Store, post: Post) -> None:
    await say(store, post())
    await end(store, await turn(store), reasons=(PushReason.SENT,))
    assert await nobody_is_due(store)
    decided = {one.reason: one.offset for one in await store.notifications.decisions(BOB)}
    assert decided == {PushReason.SCHEDULED: 1, PushReason.SENT: 1}


async def test_what_came_meanwhile_is_due_for_the_rest_alone(store: Store, post: Post) -> None:
    await say(store, post())
    first = await turn(store)
    await say(store, post(), post())
    await end(store, first)
    rest = (await turn(store)).push
    assert (rest.first_offset, rest.told_offset, rest.messages) == (2, 3, 2)
    assert rest.push_id != first.push.push_id


async def test_a_round_that_comes_after_the_push_does_not_repeat_it(
    store: Store, post: Post
) -> None:
    """The push told of a message before its room's round had come to the user."""
    await say(store, post())
    first = await turn(store)
    await store.log.append([post()])
    await end(store, first)
    second = await turn(store)
    assert second.push.told_offset == 2
    await end(store, second)
    await decide_all(store, ONE, due_at={BOB: now()})
    assert await nobody_is_due(store)
    await say(store, post())
    third = (await turn(store)).push
    assert (third.first_offset, third.told_offset) == (3, 3)


async def test_another_try_tells_of_the_same_whatever_came_meanwhile(
    store: Store, post: Post
) -> None:
    await say(store, post(content="a"))
    first = await turn(store)
    await store.log.append([post(content="b")])
    await end(store, first, again_at=now(), tries=1, done=frozenset({"x", "y"}))
    again = await turn(store)
    assert again.push.push_id == first.push.push_id
    assert (again.push.told_offset, again.push.newest) == (1, ("alice", "a"))
    assert (again.push.tries, again.push.done) == (1, frozenset({"x", "y"}))
    await end(store, again)
    assert (await turn(store)).push.newest == ("alice", "b")


async def test_another_try_goes_before_other_rooms_and_holds_them_if_told_to(
    store: Store, post: Post
) -> None:
    await say(store, post())
    first = await turn(store)
    await say(store, post(room="2"))
    soon = now() + timedelta(milliseconds=300)
    await end(store, first, again_at=soon, tries=1, held_until=soon)
    assert await nobody_is_due(store)
    await say(store, post(room="2"))  # neither does news make it due
    assert await nobody_is_due(store)
    await asyncio.sleep(0.5)
    again = await turn(store)
    assert again.push.room_id == ONE
    await end(store, again)
    assert (await turn(store)).push.room_id == TWO


async def test_without_being_held_other_rooms_go_on(store: Store, post: Post) -> None:
    await say(store, post())
    await end(store, await turn(store), again_at=now() + HOUR, tries=1)
    await say(store, post(room="2"))
    assert (await turn(store)).push.room_id == TWO


async def test_what_gives_way_waits_only_while_there_is_no_news(store: Store, post: Post) -> None:
    await say(store, post())
    first = await turn(store)
    how = {"again_at": now(), "tries": 1, "done": frozenset({"x"}), "gives_way": True}
    await end(store, first, **how)
    again = await turn(store)
    assert (again.push.push_id, set(again.push.done)) == (first.push.push_id, {"x"})
    await store.log.append([post(content="b")])
    await end(store, again, **how)
    news = (await turn(store)).push
    assert (news.first_offset, news.told_offset, news.tries) == (2, 2, 0)
    assert (news.done, news.newest) == (frozenset(), ("alice", "b"))


async def test_what_gives_way_and_nobody_has_got_is_told_with_the_news(
    store: Store, post: Post
) -> None:
    """It was tried in vain, then put off: a service that hangs must not make it be forgotten."""
    await say(store, post())
    await end(store, await turn(store), again_at=now(), tries=1)
    again = await turn(store)
    await store.log.append([post(content="b")])
    await end(store, again, again_at=now() + HOUR, tries=1, gives_way=True)
    news = (await turn(store)).push
    assert (news.first_offset, news.told_offset, news.messages) == (1, 2, 2)


@pytest.mark.parametrize(
    ("tries", "done", "waits"),
    [(1, {"x"}, True), (1, {"x", WEBHOOK}, False), (1, {"x-webhook"}, True), (0, set(), False)],
)
async def test_the_webhook_gets_first_what_was_tried_and_it_has_not_got(
    store: Store, post: Post, tries: int, done: set[str], waits: bool
) -> None:
    until = now() + HOUR
    await say(store, post())
    await end(store, await turn(store), again_at=until, tries=tries, done=frozenset(done))
    await say(store, post(room="2"))
    second = (await turn(store)).push
    assert second.room_id == TWO
    assert second.webhook_after == (until if waits else None)


async def test_of_two_that_were_tried_one_goes_first(
    store: Store, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each would wait for the other."""
    await say(store, post(room="2"))
    await end(store, await turn(store), again_at=now() + HOUR, tries=1)
    await say(store, post())
    after = await turn(store)
    assert after.push.room_id == ONE
    assert after.push.webhook_after is not None
    await end(store, after, again_at=now(), tries=1)
    monkeypatch.setattr(push_turns, "now", lambda: now() + 2 * HOUR)
    before = await turn(store)
    assert (before.push.room_id, before.push.webhook_after) == (TWO, None)
    await end(store, before)
    after = await turn(store)
    assert (after.push.room_id, after.push.webhook_after) == (ONE, None)


async def test_what_is_gone_is_forgotten_and_of_no_other_user(store: Store, post: Post) -> None:
    await store.pushes.subscribe(BOB, BROWSER)
    await say(store, post())
    one = await turn(store)
    gone = (id_of(BROWSER.endpoint),)
    await store.pushes.subscribe(ALICE, BROWSER)
    await end(store, one, gone=gone)
    assert await store.pushes.subscriptions(ALICE) == [BROWSER]
    await store.pushes.subscribe(BOB, BROWSER)
    await store.push_queue.end([one.end(gone=gone)], newer_at=now())
    assert await store.pushes.subscriptions(BOB) == []


async def test_the_users_rate_is_kept(store: Store, post: Post) -> None:
    free_at = now() + HOUR
    await say(store, post())
    await end(store, await turn(store), free_at=free_at)
    await say(store, post())
    assert (await turn(store)).push.free_at == free_at


async def test_who_changes_quiet_hours_hears_of_what_waited_for_them(
    store: Store, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(store, post())
    await end(store, await turn(store), again_at=now() + HOUR)
    await store.notifications.change_settings(BOB, quiet_hours=None)
    await say(store, post())  # a round does not make it later
    claim = await store.push_queue.claim(most=9, length=HOUR)
    assert claim.users == ()
    monkeypatch.setattr(push_turns, "now", lambda: now() + timedelta(seconds=11))
    assert (await turn(store)).push.told_offset == 2
