"""`role_reads`: all who wait are asked for in one read."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from allibe_gateway import role_reads
from allibe_gateway.role_reads import RoleReads
from allibe_services.contracts.errors import NotAMember, StoreUnavailable
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.rooms import Role
from tests.unit.gateway.fakes import ROOM, settle
from tests.unit.gateway.members import FakeMembers

USERS = [UserId(f"u{number}") for number in range(20)]


@pytest.fixture
def members() -> FakeMembers:
    members = FakeMembers()
    members.join(ROOM, *USERS)
    return members


@pytest.fixture
async def reads(members: FakeMembers) -> AsyncIterator[RoleReads]:
    reads = RoleReads(members)
    yield reads
    reads.close()


def ask(reads: RoleReads, *users: UserId) -> "list[asyncio.Task[Role]]":
    return [asyncio.create_task(reads.role(ROOM, user)) for user in users]


async def test_who_comes_alone_is_asked_for_at_once(reads: RoleReads, members: FakeMembers) -> None:
    assert await reads.role(ROOM, USERS[0]) is Role.MEMBER
    assert members.asked == 1


async def test_all_who_come_while_the_store_is_asked_are_one_read_more(
    reads: RoleReads, members: FakeMembers
) -> None:
    members.free.clear()
    asked = ask(reads, USERS[0])
    await settle()
    asked += ask(reads, *USERS)
    await settle()
    members.free.set()
    assert await asyncio.gather(*asked) == [Role.MEMBER] * 21
    assert members.asked == 2


@pytest.mark.parametrize(("come", "reads_made"), [(3, 2), (4, 1)])
async def test_where_many_come_the_next_read_waits_for_more_of_them(
    reads: RoleReads,
    members: FakeMembers,
    monkeypatch: pytest.MonkeyPatch,
    come: int,
    reads_made: int,
) -> None:
    """A few are asked for at once, as someone is who opens one room after the other."""
    monkeypatch.setattr(role_reads, "PAUSE_SECONDS", 60)
    await asyncio.gather(*ask(reads, *USERS[:come]))
    later = ask(reads, USERS[4])
    await settle()
    assert members.asked == reads_made
    assert later[0].done() == (reads_made == 2)
    reads.close()
    await asyncio.wait(later)


async def test_who_comes_in_the_pause_is_asked_for_after_it(
    reads: RoleReads, members: FakeMembers
) -> None:
    await asyncio.gather(*ask(reads, *USERS[:10]))
    assert await asyncio.gather(*ask(reads, *USERS[10:])) == [Role.MEMBER] * 10
    assert members.asked == 2


async def test_a_read_that_began_before_is_no_answer(
    reads: RoleReads, members: FakeMembers
) -> None:
    """Whoever asks after a membership ended must not hear that it is there."""
    members.free.clear()
    (before,) = ask(reads, USERS[0])
    await settle()
    members.leave(ROOM, USERS[0])
    (after,) = ask(reads, USERS[0])
    await settle()
    members.free.set()
    assert await before is Role.MEMBER
    with pytest.raises(NotAMember):
        await after


async def test_a_read_has_a_bound(
    reads: RoleReads, members: FakeMembers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role_reads, "MOST", 8)
    await asyncio.gather(*ask(reads, *USERS))
    assert members.asked == 3


async def test_a_store_that_is_away_is_told_to_all_and_asked_again(
    reads: RoleReads, members: FakeMembers
) -> None:
    members.away = True
    answers = await asyncio.gather(*ask(reads, *USERS), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 20
    members.away = False
    assert await reads.role(ROOM, USERS[0]) is Role.MEMBER


async def test_who_gives_up_takes_nobody_along(reads: RoleReads, members: FakeMembers) -> None:
    members.free.clear()
    asked = ask(reads, *USERS)
    await settle()
    asked[0].cancel()
    members.free.set()
    assert await asyncio.gather(*asked[1:]) == [Role.MEMBER] * 19


async def test_at_the_end_nobody_waits_for_ever(reads: RoleReads, members: FakeMembers) -> None:
    members.free.clear()
    asked = ask(reads, USERS[0])
    await settle()
    asked += ask(reads, USERS[1])
    await settle()
    reads.close()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
