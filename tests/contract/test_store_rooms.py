"""`store.base.Rooms`: every sentence of its docstrings, against every store."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.errors import BadRequest, Conflict, NotAMember, UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Role, Room
from allibe_services.store.base import Store

Post = Callable[..., PostMessage]

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
ONE, TWO = RoomId("1"), RoomId("2")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class TestCreate:
    async def test_the_owner_sees_an_empty_room(self, store: Store) -> None:
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        room = await store.rooms.create("프로젝트 팀 🚀", ALICE, members=[BOB], room_id=ONE)

        assert before <= room.created_at <= datetime.now(UTC)
        assert room == Room(
            room_id=ONE,
            name="프로젝트 팀 🚀",
            last_message=None,
            last_message_at=None,
            last_message_sender=None,
            unread_count=0,
            read_offset=0,
            last_offset=0,
            epoch=room.epoch,
            role=Role.OWNER,
            created_at=room.created_at,
        )
        assert await store.rooms.get(ONE, ALICE) == room

    async def test_the_others_become_members(self, store: Store) -> None:
        room = await store.rooms.create("r", ALICE, members=[CAROL, BOB], room_id=ONE)

        members = await store.members.of_room(ONE, most=10)
        assert [(m.user, m.role, m.read_offset) for m in members] == [
            (ALICE, Role.OWNER, 0),
            (BOB, Role.MEMBER, 0),
            (CAROL, Role.MEMBER, 0),
        ]
        assert {m.joined_at for m in members} == {room.created_at}

    async def test_naming_the_owner_or_someone_twice_among_the_members_is_the_same(
        self, store: Store
    ) -> None:
        await store.rooms.create("r", ALICE, members=[BOB, ALICE, BOB], room_id=ONE)

        members = await store.members.of_room(ONE, most=10)
        assert [(m.user, m.role) for m in members] == [(ALICE, Role.OWNER), (BOB, Role.MEMBER)]

    async def test_a_taken_id_is_a_conflict_and_changes_nothing(self, store: Store) -> None:
        first = await store.rooms.create("first", ALICE, room_id=ONE)

        with pytest.raises(Conflict):
            await store.rooms.create("second", BOB, members=[CAROL], room_id=ONE)

        assert await store.rooms.get(ONE, ALICE) == first
        assert [m.user for m in await store.members.of_room(ONE, most=10)] == [ALICE]

    async def test_of_two_at_once_one_creates_the_room(
        self, store: Store, open_store: Callable[[], Awaitable[Store]]
    ) -> None:
        other = await open_store()
        answers = await asyncio.gather(
            store.rooms.create("r", ALICE, room_id=ONE),
            other.rooms.create("r", BOB, room_id=ONE),
            return_exceptions=True,
        )

        assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Room"]
        assert len(await store.members.of_room(ONE, most=10)) == 1

    @pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 101])
    async def test_a_name_that_no_database_holds_is_refused(self, store: Store, name: str) -> None:
        with pytest.raises(BadRequest):
            await store.rooms.create(name, ALICE, room_id=ONE)

        assert await store.rooms.of_user(ALICE, most=10) == []

    async def test_the_longest_name_is_kept_whole(self, store: Store) -> None:
        await store.rooms.create("한" * 100, ALICE, room_id=ONE)

        assert (await store.rooms.get(ONE, ALICE)).name == "한" * 100

    async def test_each_log_has_an_epoch_of_its_own_and_keeps_it(
        self, store: Store, open_store: Callable[[], Awaitable[Store]], post: Post
    ) -> None:
        one = await store.rooms.create("r", ALICE, room_id=ONE)
        two = await store.rooms.create("r", ALICE, room_id=TWO)
        await store.log.append([post("1")])

        assert one.epoch != two.epoch
        assert re.fullmatch("[a-z0-9]{8}", one.epoch)
        again = await open_store()
        assert (await again.rooms.get(ONE, ALICE)).epoch == one.epoch
        assert (await again.log.heads([ONE]))[ONE].epoch == one.epoch
        assert [m.epoch for m in await again.log.after(ONE, 0, most=1)] == [one.epoch]


class TestGet:
    async def test_each_member_sees_its_own_role_and_unread_count(
        self, store: Store, post: Post
    ) -> None:
        await store.rooms.create("r", ALICE, members=[BOB], room_id=ONE)
        await store.log.append([post(sender="alice"), post(sender="bob"), post(sender="alice")])
        await store.members.mark_read(ONE, BOB, 1)

        alice, bob = await store.rooms.get(ONE, ALICE), await store.rooms.get(ONE, BOB)
        assert (alice.role, alice.read_offset, alice.unread_count) == (Role.OWNER, 0, 1)
        assert (bob.role, bob.read_offset, bob.unread_count) == (Role.MEMBER, 1, 1)
        assert alice.last_offset == bob.last_offset == 3

    async def test_an_unknown_room_is_told_from_one_of_others(self, store: Store) -> None:
        await store.rooms.create("r", ALICE, room_id=ONE)

        with pytest.raises(UnknownRoom):
            await store.rooms.get(TWO, ALICE)
        with pytest.raises(NotAMember):
            await store.rooms.get(ONE, BOB)


class TestOfUser:
    async def test_it_is_the_rooms_of_the_user_as_get_gives_them(
        self, store: Store, post: Post
    ) -> None:
        await store.rooms.create("r", ALICE, members=[BOB], room_id=ONE)
        await store.rooms.create("r", ALICE, room_id=TWO)
        await store.log.append([post(content="later", at=datetime.now(UTC) + timedelta(hours=1))])

        assert await store.rooms.of_user(BOB, most=10) == [await store.rooms.get(ONE, BOB)]
        assert await store.rooms.of_user(ALICE, most=10) == [
            await store.rooms.get(ONE, ALICE),
            await store.rooms.get(TWO, ALICE),
        ]
        assert await store.rooms.of_user(CAROL, most=10) == []

    async def test_the_latest_activity_is_first_and_equal_times_are_sorted_by_id(
        self, store: Store, post: Post
    ) -> None:
        for room_id in ("b", "B", "a", "old", "_", "future"):
            await store.rooms.create("r", ALICE, room_id=RoomId(room_id))
        tied = [post(room_id, at=NOON + timedelta(days=9_000)) for room_id in ("b", "B", "a", "_")]
        await store.log.append(
            [*tied, post("old", at=NOON), post("future", at=NOON + timedelta(days=9_001))]
        )

        rooms = await store.rooms.of_user(ALICE, most=10)
        assert [room.room_id for room in rooms] == ["future", "B", "_", "a", "b", "old"]

    async def test_a_room_without_messages_stands_at_its_creation(
        self, store: Store, post: Post
    ) -> None:
        await store.rooms.create("r", ALICE, room_id=RoomId("empty"))
        await store.rooms.create("r", ALICE, room_id=RoomId("past"))
        await store.rooms.create("r", ALICE, room_id=RoomId("next"))
        hour = timedelta(hours=1)
        await store.log.append(
            [post("past", at=datetime.now(UTC) - hour), post("next", at=datetime.now(UTC) + hour)]
        )

        rooms = await store.rooms.of_user(ALICE, most=10)
        assert [room.room_id for room in rooms] == ["next", "empty", "past"]

    @pytest.mark.parametrize("most", [1, 2, 3, 7, 20])
    async def test_pages_hold_every_room_once(self, store: Store, post: Post, most: int) -> None:
        for n in range(12):
            await store.rooms.create("r", ALICE, room_id=RoomId(f"r{n:02}"))
        await store.log.append(
            [post(f"r{n:02}", at=NOON + timedelta(milliseconds=n // 3)) for n in range(9)]
        )

        pages, after = [], None
        while page := await store.rooms.of_user(ALICE, most=most, after=after):
            assert len(page) <= most
            pages += page
            after = (page[-1].last_message_at or page[-1].created_at, page[-1].room_id)

        assert pages == await store.rooms.of_user(ALICE, most=100)
        assert len({room.room_id for room in pages}) == 12
