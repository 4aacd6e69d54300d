"""`memberships`: which rooms a user is known to be a member of, and how that ends."""

import asyncio

import pytest

from allibe_gateway import memberships as module
from allibe_gateway.memberships import Memberships
from allibe_services.contracts.errors import NotAMember, StoreUnavailable
from allibe_services.contracts.ids import RoomId, UserId
from tests.unit.gateway.fakes import ROOM, settle
from tests.unit.gateway.members import FakeMembers

ALICE = UserId("alice")


@pytest.fixture
def members() -> FakeMembers:
    members = FakeMembers()
    members.join(ROOM, ALICE)
    return members


@pytest.fixture
def memberships(members: FakeMembers) -> Memberships:
    return Memberships(members)


async def test_the_store_is_asked_once(members: FakeMembers, memberships: Memberships) -> None:
    for _ in range(5):
        await memberships.check(ROOM, ALICE)
    assert members.asked == 1


async def test_what_is_known_can_be_seen_without_asking(
    memberships: Memberships, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not memberships.knows(ROOM)
    await memberships.check(ROOM, ALICE)
    assert memberships.knows(ROOM)
    memberships.forget(ROOM)
    assert not memberships.knows(ROOM)
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    await memberships.check(ROOM, ALICE)
    assert not memberships.knows(ROOM)


async def test_who_is_no_member_is_refused_each_time(
    members: FakeMembers, memberships: Memberships
) -> None:
    """Only a yes is remembered: a new member must not wait."""
    for _ in range(2):
        with pytest.raises(NotAMember):
            await memberships.check(ROOM, UserId("bob"))
    members.join(ROOM, UserId("bob"))
    await memberships.check(ROOM, UserId("bob"))
    assert members.asked == 3


async def test_a_store_that_is_away_is_told_and_not_remembered(
    members: FakeMembers, memberships: Memberships
) -> None:
    members.away = True
    with pytest.raises(StoreUnavailable):
        await memberships.check(ROOM, ALICE)
    members.away = False
    await memberships.check(ROOM, ALICE)


async def test_one_that_was_known_goes_on_while_the_store_is_away(
    members: FakeMembers, memberships: Memberships, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients get receipts through an outage of any length; the store is asked now and then."""
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.0)
    await memberships.check(ROOM, ALICE)
    members.away = True
    for _ in range(5):
        await memberships.check(ROOM, ALICE)
    assert members.asked == 2
    members.away = False
    members.leave(ROOM, ALICE)
    memberships._until[ROOM] = 0.0  # AWAY_SECONDS later
    for _ in range(2):
        with pytest.raises(NotAMember):
            await memberships.check(ROOM, ALICE)
        members.away = True
        with pytest.raises(StoreUnavailable):
            await memberships.check(ROOM, ALICE)
        members.away = False


async def test_one_that_ended_does_not_go_on_while_the_store_is_away(
    members: FakeMembers, memberships: Memberships
) -> None:
    """I6."""
    await memberships.check(ROOM, ALICE)
    memberships.forget(ROOM)
    members.away = True
    with pytest.raises(StoreUnavailable):
        await memberships.check(ROOM, ALICE)


async def test_a_lost_membership_counts_at_once(
    members: FakeMembers, memberships: Memberships
) -> None:
    """I6."""
    await memberships.check(ROOM, ALICE)
    members.leave(ROOM, ALICE)
    memberships.forget(ROOM)
    with pytest.raises(NotAMember):
        await memberships.check(ROOM, ALICE)


async def test_one_that_is_lost_while_the_store_answers_counts_too(
    members: FakeMembers, memberships: Memberships
) -> None:
    """The answer is from before: the store is asked again."""
    members.free.clear()
    checking = asyncio.create_task(memberships.check(ROOM, ALICE))
    await settle()
    members.leave(ROOM, ALICE)
    memberships.forget(ROOM)
    members.free.set()
    with pytest.raises(NotAMember):
        await checking


async def test_one_whose_loss_nobody_told_lasts_only_so_long(
    members: FakeMembers, memberships: Memberships, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.01)
    await memberships.check(ROOM, ALICE)
    members.leave(ROOM, ALICE)
    await asyncio.sleep(0.015)
    with pytest.raises(NotAMember):
        await memberships.check(ROOM, ALICE)


async def test_a_connection_remembers_so_many_rooms(
    members: FakeMembers, memberships: Memberships
) -> None:
    """I7."""
    for number in range(3 * module.ROOMS):
        room = RoomId(f"r{number}")
        members.join(room, ALICE)
        await memberships.check(room, ALICE)
        assert len(memberships._until) <= module.ROOMS


async def test_what_lasts_is_confirmed_by_the_store(
    members: FakeMembers, memberships: Memberships
) -> None:
    """I6. The removal was lost a moment ago: a subscription would outlast what is remembered."""
    await memberships.check(ROOM, ALICE)
    members.leave(ROOM, ALICE)
    with pytest.raises(NotAMember):
        await memberships.confirm(ROOM, ALICE)
    assert not memberships.knows(ROOM)
