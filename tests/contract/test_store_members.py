"""`store.base.Members`: every sentence of its docstrings, against every store."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.errors import Conflict, NotAMember, UnknownMember, UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Member, ReadMarker, Role, Unread
from allibe_services.store.base import OWN_COUNTED, Store

Post = Callable[..., PostMessage]

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
ONE, NOWHERE = RoomId("1"), RoomId("nowhere")


@pytest.fixture(autouse=True)
async def _room_of_alice_and_bob(store: Store) -> None:
    await store.rooms.create("Room 1", ALICE, members=[BOB], room_id=ONE)


async def roles(store: Store) -> dict[UserId, Role]:
    return {member.user: member.role for member in await store.members.of_room(ONE, most=100)}


class TestRole:
    async def test_it_is_what_the_member_may_do(self, store: Store) -> None:
        assert await store.members.role(ONE, ALICE) is Role.OWNER
        assert await store.members.role(ONE, BOB) is Role.MEMBER

    async def test_an_unknown_room_is_told_from_one_of_others(self, store: Store) -> None:
        with pytest.raises(UnknownRoom):
            await store.members.role(NOWHERE, ALICE)
        with pytest.raises(NotAMember):
            await store.members.role(ONE, CAROL)


class TestRoles:
    async def test_they_are_those_of_the_members_alone(self, store: Store) -> None:
        pairs = [(ONE, ALICE), (ONE, BOB), (ONE, CAROL), (NOWHERE, ALICE)]
        expected = {(ONE, ALICE): Role.OWNER, (ONE, BOB): Role.MEMBER}
        assert await store.members.roles(pairs) == expected
        assert await store.members.roles([]) == {}

    async def test_many_are_one_read(self, store: Store) -> None:
        rooms = [RoomId(f"r{number}") for number in range(3)]
        for room in rooms:
            await store.rooms.create("room", ALICE, members=[BOB], room_id=room)
        strangers = [UserId(f"u{number}") for number in range(600)]
        pairs = [(room, user) for room in rooms for user in (*strangers, BOB)]
        assert await store.members.roles(pairs) == {(room, BOB): Role.MEMBER for room in rooms}

    async def test_names_are_no_sql(self, store: Store) -> None:
        user = UserId("o'neill\\{,}\"")
        await store.members.add(ONE, user, Role.MEMBER)
        assert await store.members.roles([(ONE, user)]) == {(ONE, user): Role.MEMBER}


class TestOfRoom:
    async def test_pages_are_sorted_by_user_id_byte_by_byte(self, store: Store) -> None:
        for user in ("Zoe", "_x", "carol", "a!", "~"):
            await store.members.add(ONE, UserId(user), Role.ADMIN)

        found, after = [], None
        while page := await store.members.of_room(ONE, most=3, after=after):
            assert len(page) <= 3
            found += page
            after = page[-1].user

        assert [m.user for m in found] == ["Zoe", "_x", "a!", "alice", "bob", "carol", "~"]
        assert await store.members.of_room(ONE, most=100) == found

    async def test_an_unknown_room_has_no_members(self, store: Store) -> None:
        assert await store.members.of_room(NOWHERE, most=10) == []


class TestAmong:
    async def test_it_tells_members_from_others(self, store: Store) -> None:
        assert await store.members.among(ONE, [ALICE, BOB, CAROL]) == {ALICE, BOB}
        assert await store.members.among(NOWHERE, [ALICE]) == set()
        assert await store.members.among(ONE, []) == set()

    async def test_any_number_may_be_asked_for(self, store: Store) -> None:
        strangers = [UserId(f"user-{number}") for number in range(1200)]
        assert await store.members.among(ONE, [*strangers, BOB]) == {BOB}


class TestAdd:
    async def test_a_new_member_has_read_all_so_far(self, store: Store, post: Post) -> None:
        await store.log.append([post(), post()])

        member = await store.members.add(ONE, CAROL, Role.ADMIN)

        assert abs(member.joined_at - datetime.now(UTC)) < timedelta(minutes=1)
        assert member == Member(CAROL, Role.ADMIN, member.joined_at, read_offset=2)
        assert member in await store.members.of_room(ONE, most=10)
        assert (await store.rooms.get(ONE, CAROL)).unread_count == 0

    async def test_an_existing_member_is_a_conflict_and_keeps_its_role(self, store: Store) -> None:
        with pytest.raises(Conflict):
            await store.members.add(ONE, ALICE, Role.MEMBER)

        assert await roles(store) == {ALICE: Role.OWNER, BOB: Role.MEMBER}

    async def test_an_unknown_room_is_refused(self, store: Store) -> None:
        with pytest.raises(UnknownRoom):
            await store.members.add(NOWHERE, CAROL, Role.MEMBER)

    async def test_who_comes_back_has_read_all_again(self, store: Store, post: Post) -> None:
        await store.members.remove(ONE, BOB)
        await store.log.append([post(), post()])

        assert (await store.members.add(ONE, BOB, Role.MEMBER)).read_offset == 2

    async def test_an_empty_room_takes_only_an_owner(self, store: Store) -> None:
        await store.members.remove(ONE, BOB)
        await store.members.remove(ONE, ALICE)

        with pytest.raises(Conflict):
            await store.members.add(ONE, BOB, Role.ADMIN)
        await store.members.add(ONE, BOB, Role.OWNER)

        assert await roles(store) == {BOB: Role.OWNER}


class TestChangeRole:
    async def test_it_returns_the_member_as_it_is_now(self, store: Store) -> None:
        before = (await store.members.of_room(ONE, most=10))[1]

        member = await store.members.change_role(ONE, BOB, Role.ADMIN)

        assert member == Member(BOB, Role.ADMIN, before.joined_at, before.read_offset)
        assert await roles(store) == {ALICE: Role.OWNER, BOB: Role.ADMIN}

    async def test_the_last_owner_stays_owner(self, store: Store) -> None:
        with pytest.raises(Conflict):
            await store.members.change_role(ONE, ALICE, Role.ADMIN)

        assert await roles(store) == {ALICE: Role.OWNER, BOB: Role.MEMBER}

    async def test_giving_the_last_owner_the_same_role_is_allowed(self, store: Store) -> None:
        assert (await store.members.change_role(ONE, ALICE, Role.OWNER)).role is Role.OWNER

    async def test_of_two_owners_one_may_step_down(self, store: Store) -> None:
        await store.members.change_role(ONE, BOB, Role.OWNER)
        await store.members.change_role(ONE, ALICE, Role.MEMBER)

        assert await roles(store) == {ALICE: Role.MEMBER, BOB: Role.OWNER}

    async def test_unknown_rooms_and_members_are_refused(self, store: Store) -> None:
        with pytest.raises(UnknownRoom):
            await store.members.change_role(NOWHERE, ALICE, Role.OWNER)
        with pytest.raises(UnknownMember):
            await store.members.change_role(ONE, CAROL, Role.OWNER)


class TestRemove:
    async def test_the_room_is_gone_for_the_user_and_history_stays(
        self, store: Store, post: Post
    ) -> None:
        await store.log.append([post(sender="bob")])
        await store.members.remove(ONE, BOB)

        assert await roles(store) == {ALICE: Role.OWNER}
        assert await store.rooms.of_user(BOB, most=10) == []
        assert len(await store.log.after(ONE, 0, most=10)) == 1

    async def test_the_last_owner_cannot_leave_others_behind(self, store: Store) -> None:
        with pytest.raises(Conflict):
            await store.members.remove(ONE, ALICE)

        assert await roles(store) == {ALICE: Role.OWNER, BOB: Role.MEMBER}

    async def test_the_last_member_may_go_and_the_log_lives_on(
        self, store: Store, post: Post
    ) -> None:
        await store.log.append([post()])
        await store.members.remove(ONE, BOB)
        await store.members.remove(ONE, ALICE)

        assert await roles(store) == {}
        await store.log.append([post()])
        assert (await store.log.heads([ONE]))[ONE].last_offset == 2

    async def test_unknown_rooms_and_members_are_refused(self, store: Store) -> None:
        with pytest.raises(UnknownRoom):
            await store.members.remove(NOWHERE, ALICE)
        with pytest.raises(UnknownMember):
            await store.members.remove(ONE, CAROL)

    async def test_two_owners_that_leave_at_once_do_not_both_succeed(
        self, store: Store, open_store: Callable[[], Awaitable[Store]]
    ) -> None:
        other = await open_store()
        await store.members.add(ONE, CAROL, Role.OWNER)

        answers = await asyncio.gather(
            store.members.remove(ONE, ALICE),
            other.members.remove(ONE, CAROL),
            return_exceptions=True,
        )

        assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "NoneType"]
        assert Role.OWNER in (await roles(store)).values()


class TestMarkRead:
    @pytest.fixture(autouse=True)
    async def _five_messages_one_of_them_bobs(
        self, store: Store, post: Post, _room_of_alice_and_bob: None
    ) -> None:
        await store.log.append([post(sender="bob" if n == 4 else "alice") for n in range(1, 6)])

    async def test_the_marker_moves_and_tells_what_is_left(self, store: Store) -> None:
        assert await store.members.mark_read(ONE, BOB, 2) == ReadMarker(ONE, 2, 2, moved=True)
        assert (await store.rooms.get(ONE, BOB)).read_offset == 2

    async def test_ones_own_message_under_the_marker_does_not_count(self, store: Store) -> None:
        assert await store.members.mark_read(ONE, BOB, 4) == ReadMarker(ONE, 4, 1, moved=True)

    @pytest.mark.parametrize("offset", [3, 2, 0, -1])
    async def test_it_never_moves_back(self, store: Store, offset: int) -> None:
        await store.members.mark_read(ONE, BOB, 3)

        marker = await store.members.mark_read(ONE, BOB, offset)

        assert marker == ReadMarker(ONE, 3, 1, moved=False)

    @pytest.mark.parametrize("offset", [5, 6, 2**63, 2**80])
    async def test_it_moves_at_most_to_the_end_of_the_log(self, store: Store, offset: int) -> None:
        marker = await store.members.mark_read(ONE, BOB, offset)

        assert marker == ReadMarker(ONE, 5, 0, moved=True)

    async def test_markers_set_at_once_leave_the_furthest(
        self, store: Store, open_store: Callable[[], Awaitable[Store]]
    ) -> None:
        stores = [store, await open_store()]
        markers = await asyncio.gather(
            *(stores[n % 2].members.mark_read(ONE, BOB, n % 5) for n in range(20))
        )

        assert all(marker.offset >= n % 5 for n, marker in enumerate(markers))
        assert (await store.rooms.get(ONE, BOB)).read_offset == 4

    async def test_it_belongs_to_one_member(self, store: Store) -> None:
        await store.members.mark_read(ONE, BOB, 5)

        assert (await store.rooms.get(ONE, ALICE)).read_offset == 0

    async def test_unknown_rooms_and_strangers_are_refused(self, store: Store) -> None:
        with pytest.raises(UnknownRoom):
            await store.members.mark_read(NOWHERE, BOB, 1)
        with pytest.raises(NotAMember):
            await store.members.mark_read(ONE, CAROL, 1)


class TestUnread:
    async def test_ones_own_messages_do_not_count(self, store: Store, post: Post) -> None:
        await store.members.add(ONE, CAROL, Role.MEMBER)
        await store.log.append([post(sender=sender) for sender in ("bob", "alice", "bob", "dave")])

        assert await store.members.unread({ONE: None}, most=10) == {
            ONE: [Unread(ALICE, 3), Unread(BOB, 2), Unread(CAROL, 4)]
        }

    async def test_pages_are_sorted_by_user_id(self, store: Store, post: Post) -> None:
        await store.members.add(ONE, CAROL, Role.MEMBER)
        await store.log.append([post(sender="alice")])

        async def page(after: UserId | None) -> list[Unread]:
            return (await store.members.unread({ONE: after}, most=2))[ONE]

        assert await page(None) == [Unread(ALICE, 0), Unread(BOB, 1)]
        assert await page(BOB) == [Unread(CAROL, 1)]
        assert await page(CAROL) == []

    async def test_each_room_has_a_page_of_its_own(self, store: Store, post: Post) -> None:
        two = RoomId("2")
        await store.rooms.create("Another", BOB, members=[CAROL], room_id=two)
        await store.log.append([post(sender="alice"), post(room=two, sender="bob")])
        assert await store.members.unread({ONE: ALICE, two: None, NOWHERE: None}, most=1) == {
            ONE: [Unread(BOB, 1)],
            two: [Unread(BOB, 0)],
            NOWHERE: [],
        }

    async def test_an_unknown_room_has_nobody_to_count_for(self, store: Store) -> None:
        assert await store.members.unread({NOWHERE: None}, most=10) == {NOWHERE: []}

    async def test_of_ones_own_messages_so_many_are_left_out_and_no_more(
        self, store: Store, post: Post
    ) -> None:
        """Counting them has a bound, for who posts and never reads."""
        await store.log.append([post(sender="bob") for _ in range(OWN_COUNTED)])
        await store.log.append([post(sender="alice")])
        assert (await store.rooms.get(ONE, BOB)).unread_count == 1

        await store.log.append([post(sender="bob") for _ in range(2)])

        assert (await store.rooms.get(ONE, BOB)).unread_count == 3
        assert await store.members.unread({ONE: ALICE}, most=1) == {ONE: [Unread(BOB, 3)]}
        marker = await store.members.mark_read(ONE, BOB, 2)
        assert marker == ReadMarker(ONE, 2, 1, moved=True)
