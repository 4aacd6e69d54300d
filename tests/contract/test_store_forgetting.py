"""`store.retention`, forgetting a user: nothing of theirs is left, and no log has a hole."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.ids import FORGOTTEN, RoomId, UserId, is_user_id
from allibe_services.contracts.messages import now
from allibe_services.contracts.notifications import QuietHours
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import DeadWay
from allibe_services.contracts.rooms import Role
from allibe_services.store import retention as module
from allibe_services.store.retention import Retention
from allibe_services.store.sql import SqlStore
from allibe_services.store.tables import metadata
from tests.support.push_browser import PushBrowser
from tests.support.push_queue import decide_all, turn

Post = Callable[..., PostMessage]

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
ONE, TWO = RoomId("1"), RoomId("2")


@pytest.fixture(autouse=True)
async def _rooms(store: SqlStore) -> None:
    await store.rooms.create("Room 1", ALICE, members=[BOB, CAROL], room_id=ONE)
    await store.rooms.create("Room 2", CAROL, members=[ALICE], room_id=TWO)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MESSAGES", 2)
    monkeypatch.setattr(module, "ROOMS", 1)


def tables_naming(connection: Connection, text: str) -> set[str]:
    """Return the tables that have the text in a row, whatever its case."""
    return {
        table.name
        for table in metadata.sorted_tables
        if any(text in str(tuple(row)).lower() for row in connection.execute(select(table)))
    }


async def epoch(store: SqlStore, room_id: RoomId = ONE) -> str:
    return (await store.log.heads([room_id]))[room_id].epoch


async def test_messages_keep_their_place_and_lose_all_that_was_the_users(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    first = post(content="mine", name="Alice", client="c-1")
    stored = await store.log.append([first, post(content="bob's", sender="bob", name="Bob")])
    await store.log.append([post("2", "elsewhere", sender="alice")])

    assert await retention.erase(ONE, ALICE) == 1
    assert await retention.erase(ONE, ALICE) == 0

    blank, kept = await store.log.after(ONE, 0, most=9)
    assert (blank.sender, blank.content) == (FORGOTTEN, "")
    assert (blank.sender_name, blank.client_message_id) == (None, None)
    assert isinstance(stored[0], Stored)
    assert (blank.offset, blank.sent_at) == (1, stored[0].message.sent_at)
    assert (kept.sender, kept.content, kept.sender_name) == ("bob", "bob's", "Bob")
    assert [m.content for m in await store.log.after(TWO, 0, most=9)] == ["elsewhere"]
    assert not is_user_id(FORGOTTEN)


async def test_a_command_that_comes_again_brings_nothing_back(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    """Its worker died before it was acked."""
    command = post(content="mine", client="c-1")
    await store.log.append([command])
    await retention.erase(ONE, ALICE)

    (again,) = await store.log.append([command])

    assert isinstance(again, Stored)
    assert again.duplicate
    assert again.message.content == ""


@pytest.mark.usefixtures("small_batches")
async def test_the_log_has_a_new_epoch_with_the_last_of_them(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    """Gateways and clients drop what they have in memory; before that it would come back."""
    await store.log.append([post(), post(sender="bob"), post(), post(), post(sender="bob"), post()])
    epochs = [await epoch(store)]
    for _ in range(3):
        await retention.erase(ONE, ALICE)
        epochs.append(await epoch(store))

    assert epochs[0] == epochs[1] != epochs[2] == epochs[3]
    log = await store.log.after(ONE, 0, most=9)
    assert [m.sender for m in log] == [FORGOTTEN, "bob", FORGOTTEN, FORGOTTEN, "bob", FORGOTTEN]
    assert {m.epoch for m in log} == {epochs[2]}
    assert (await store.log.heads([ONE]))[ONE].last_offset == 6


@pytest.mark.parametrize(("last", "shown"), [("alice", ("", FORGOTTEN)), ("bob", ("hi", "bob"))])
async def test_lists_of_rooms_show_nothing_of_theirs(
    store: SqlStore,
    retention: Retention,
    post: Post,
    last: str,
    shown: tuple[str, str],
) -> None:
    await store.log.append([post(content="hi", sender=last)])
    await retention.erase(ONE, ALICE)
    room = await store.rooms.get(ONE, BOB)
    assert (room.last_message, room.last_message_sender) == shown
    found = [await retention.rooms_of(ALICE), await retention.rooms_of(CAROL)]
    assert found == [([], None), ([TWO], None)]  # nor as who made the room


@pytest.mark.usefixtures("small_batches")
async def test_rooms_that_were_left_long_ago_are_found_too(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    await store.rooms.create("Room 3", CAROL, members=[BOB], room_id=RoomId("3"))
    await store.log.append([post("3", sender="bob"), post("3", sender="carol"), post("2")])
    await store.members.remove(RoomId("3"), BOB)

    pages, after = [], None
    while True:
        found, after = await retention.rooms_of(BOB, after)
        pages.append(found)
        if after is None:
            break
    assert [room for page in pages for room in page] == ["3"]


async def test_memberships_end_and_rooms_keep_an_owner(
    store: SqlStore, retention: Retention
) -> None:
    await store.members.change_role(ONE, CAROL, Role.ADMIN)
    assert set(await retention.memberships(ALICE)) == {ONE, TWO}
    for room_id in (ONE, TWO):
        await retention.leave(room_id, ALICE)
        await retention.leave(room_id, ALICE)

    assert await retention.memberships(ALICE) == []
    left = {room: await store.members.of_room(room, most=9) for room in (ONE, TWO)}
    assert {one.user: one.role for one in left[ONE]} == {BOB: Role.MEMBER, CAROL: Role.OWNER}
    assert {one.user: one.role for one in left[TWO]} == {CAROL: Role.OWNER}
    await retention.leave(TWO, CAROL)
    assert await store.members.of_room(TWO, most=9) == []


async def test_nothing_is_left_of_browsers_settings_pushes_and_why_they_came(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    for user in (BOB, CAROL):
        browser = PushBrowser().subscription(f"https://push.example.net/{user}")
        await store.pushes.subscribe(user, browser)
        await store.notifications.change_settings(user, quiet_hours=QuietHours(0, 60, "UTC"))
        await store.notifications.mute(user, ONE, None)
        await store.log.append([post()])
        await decide_all(store, ONE, due_at={user: now()})
        dead = (DeadWay(PushReason.GAVE_UP, PushReason.UNAVAILABLE),)
        end = (await turn(store)).end(reasons=(PushReason.SENT,), dead=dead)
        await store.push_queue.end([end], newer_at=now())
    assert {one.user for one in await store.notifications.dead(most=9)} == {BOB, CAROL}

    await retention.leave(ONE, BOB)
    await retention.drop_settings(BOB)

    async def kept(user: UserId) -> list[bool]:
        settings = await store.notifications.settings(user)
        return [
            bool(await store.pushes.subscriptions(user)),
            settings.quiet_hours is not None,
            bool(settings.muted),
            bool(await store.notifications.decisions(user)),
        ]

    assert (await kept(BOB), await kept(CAROL)) == ([False] * 4, [True] * 4)
    assert {one.user for one in await store.notifications.dead(most=9)} == {CAROL}


async def test_no_table_names_the_user_any_more_but_that_of_revocations(
    store: SqlStore,
    retention: Retention,
    post: Post,
) -> None:
    """Whatever column may hold a user id: a new table is not to be forgotten here."""
    await store.log.append([post(name="Alice", client="alice"), post("2", sender="alice")])
    await store.log.append([post(sender="bob")])
    await store.notifications.mute(ALICE, ONE, None)
    await decide_all(store, ONE, due_at={ALICE: now()})
    assert await store._database.read(tables_naming, "alice") >= {"pushes", "push_users"}
    await retention.revoke(ALICE, timedelta(days=1))
    for room_id in (ONE, TWO):
        await retention.leave(room_id, ALICE)
        await retention.erase(room_id, ALICE)
    await retention.drop_settings(ALICE)

    naming = await store._database.read(tables_naming, "alice")
    assert naming == {"revocations"}
    (revoked,) = (await store.revocations.after(0, most=9))[1]
    assert (revoked.kind, revoked.subject) == ("user", "alice")
