"""`store.base.Notifications`: every sentence of its docstrings, against every store."""

from datetime import timedelta

import pytest

from allibe_services.contracts.errors import NotAMember, UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.notifications import MutedRoom, NotificationSettings, QuietHours
from allibe_services.contracts.rooms import Role
from allibe_services.store.base import Store

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
