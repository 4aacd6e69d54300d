"""`store.base.Notifications`: every sentence of its docstrings, against every store."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert

from allibe_services.contracts.errors import NotAMember, UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, now
from allibe_services.contracts.notifications import (
    Decision,
    MutedRoom,
    NotificationSettings,
    QuietHours,
)
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.rooms import Role
from allibe_services.store.base import DECISIONS_KEPT, Store
from allibe_services.store.sql import SqlStore
from allibe_services.store.tables import push_decisions

ALICE, BOB = UserId("alice"), UserId("bob")
ONE, TWO = RoomId("1"), RoomId("2")
NIGHT = QuietHours(22 * 60, 7 * 60, "Asia/Seoul")


@pytest.fixture(autouse=True)
async def rooms(store: Store) -> None:
    for room_id in (TWO, ONE):
        await store.rooms.create("room", ALICE, members=[BOB], room_id=room_id)


async def test_at_first_a_user_wants_everything(store: Store) -> None:
    assert await store.notifications.settings(ALICE) == NotificationSettings()
    assert await store.notifications.decisions(ALICE) == []


async def test_quiet_hours_are_put_in_the_place_of_the_former_ones(store: Store) -> None:
    noon = QuietHours(720, 780, "Europe/Berlin")
    for wanted in (NIGHT, noon, noon, None, None):
        changed = await store.notifications.change_settings(ALICE, quiet_hours=wanted)
        assert changed == NotificationSettings(wanted)
        assert await store.notifications.settings(ALICE) == changed
    await store.notifications.change_settings(BOB, quiet_hours=NIGHT)
    assert await store.notifications.settings(ALICE) == NotificationSettings()


async def test_rooms_are_muted_for_a_user_until_a_time_or_for_good(store: Store) -> None:
    until = now() + timedelta(hours=1)
    await store.notifications.mute(ALICE, TWO, None)
    await store.notifications.mute(ALICE, ONE, until)
    await store.notifications.mute(ALICE, ONE, until)
    muted = (MutedRoom(ONE, until), MutedRoom(TWO, None))
    assert (await store.notifications.settings(ALICE)).muted == muted
    assert (await store.notifications.settings(BOB)).muted == ()
    await store.notifications.unmute(ALICE, TWO)
    await store.notifications.unmute(ALICE, TWO)
    assert (await store.notifications.settings(ALICE)).muted == muted[:1]


async def test_what_was_muted_until_a_time_is_over_by_itself(store: Store) -> None:
    await store.notifications.mute(ALICE, ONE, now() - timedelta(seconds=1))
    assert (await store.notifications.settings(ALICE)).muted == ()


async def test_muting_ends_with_the_membership(store: Store) -> None:
    await store.notifications.mute(BOB, ONE, None)
    await store.members.remove(ONE, BOB)
    assert (await store.notifications.settings(BOB)).muted == ()
    await store.members.add(ONE, BOB, Role.MEMBER)
    assert (await store.notifications.settings(BOB)).muted == ()


async def test_only_members_mute(store: Store) -> None:
    carol = UserId("carol")
    for change in (
        store.notifications.mute(carol, ONE, None),
        store.notifications.unmute(carol, ONE),
    ):
        with pytest.raises(NotAMember):
            await change
    unknown = RoomId("unknown")
    for change in (
        store.notifications.mute(ALICE, unknown, None),
        store.notifications.unmute(ALICE, unknown),
    ):
        with pytest.raises(UnknownRoom):
            await change


async def test_rooms_say_whether_and_how_long_they_are_muted(store: Store) -> None:
    """In lists, in a page after the first and alone; for nobody but who has muted them."""
    until = now() + timedelta(hours=1)
    await store.notifications.mute(ALICE, ONE, until)
    await store.notifications.mute(ALICE, TWO, None)
    first, second = await store.rooms.of_user(ALICE, most=2)
    place = (first.created_at, first.room_id)
    seen = {room.room_id: (room.muted, room.muted_until) for room in (first, second)}
    assert seen == {ONE: (True, until), TWO: (True, None)}
    assert await store.rooms.of_user(ALICE, most=2, after=place) == [second]
    assert await store.rooms.get(ONE, ALICE) in (first, second)
    assert [room.muted for room in await store.rooms.of_user(BOB, most=2)] == [False, False]
    await store.notifications.mute(ALICE, ONE, now() - timedelta(seconds=1))
    await store.notifications.unmute(ALICE, TWO)
    again = [await store.rooms.get(room_id, ALICE) for room_id in (ONE, TWO)]
    assert [(room.muted, room.muted_until) for room in again] == [(False, None)] * 2


async def test_decisions_of_a_day_come_the_newest_first_in_pages(store: Store) -> None:
    at = now()
    over = at - DECISIONS_KEPT - timedelta(seconds=1)
    sent = [Decision(ONE, PushReason.SENT, 7, at)]
    equal = [
        Decision(room_id, reason, 5, at - timedelta(minutes=1))
        for room_id in (ONE, TWO)
        for reason in (PushReason.MUTED, PushReason.READ)
    ]
    old = [Decision(TWO, PushReason.SENT, 1, at - timedelta(hours=23))]
    await decided(store, ALICE, *old, *equal, *sent)
    await decided(store, ALICE, Decision(ONE, PushReason.LOOKING, 1, over))
    await decided(store, BOB, Decision(ONE, PushReason.LOOKING, 9, at))
    assert await store.notifications.decisions(ALICE) == [*sent, *equal, *old]
    seen: list[Decision] = []
    while page := await store.notifications.decisions(
        ALICE, most=2, after=seen[-1] if seen else None
    ):
        assert len(page) <= 2
        seen += page
    assert seen == [*sent, *equal, *old]


async def decided(store: Store, user: UserId, *decisions: Decision) -> None:
    """Put decisions into the database, as the worker does."""
    rows = [
        {
            "user_id": user,
            "room_id": one.room_id,
            "reason": one.reason.value,
            "offset": one.offset,
            "decided_at": milliseconds(one.at),
        }
        for one in decisions
    ]

    def put(connection: Connection) -> None:
        connection.execute(insert(push_decisions), rows)

    assert isinstance(store, SqlStore)
    await store._database.write(put)
