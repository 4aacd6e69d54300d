"""`tickets.base`: every sentence of its docstrings, against every implementation."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from allibe_services.contracts.errors import TicketInvalid
from allibe_services.contracts.identity import Identity
from allibe_services.contracts.ids import UserId
from allibe_services.tickets.base import TICKET_LENGTH, TICKET_SECONDS, Tickets
from tests.contract.factories_leases import TICKETS, PassSeconds

Opened = tuple[Tickets, PassSeconds]

ALICE = Identity(
    UserId("alice"),
    2_000_000_000.25,
    name="앨리스",
    scopes=frozenset({"chat:admin", "b"}),
    issued_at=1_900_000_000.5,
    token_id="t-1",
)
BARE = Identity(UserId("bob"), 2_000_000_000.0)


@pytest.fixture(params=TICKETS)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    async with TICKETS[request.param](request) as opened:
        yield opened


@pytest.fixture
def tickets(opened: Opened) -> Tickets:
    return opened[0]


@pytest.fixture
def pass_seconds(opened: Opened) -> PassSeconds:
    return opened[1]


@pytest.mark.parametrize("identity", [ALICE, BARE], ids=["all of it", "the least"])
async def test_the_identity_comes_back_as_it_was(tickets: Tickets, identity: Identity) -> None:
    assert await tickets.redeem(await tickets.issue(identity)) == identity


async def test_a_ticket_is_good_for_once(tickets: Tickets) -> None:
    ticket = await tickets.issue(ALICE)
    await tickets.redeem(ticket)
    for _ in range(2):
        with pytest.raises(TicketInvalid):
            await tickets.redeem(ticket)


async def test_of_many_who_bring_it_at_once_one_gets_in(tickets: Tickets) -> None:
    ticket = await tickets.issue(ALICE)
    found = await asyncio.gather(
        *(tickets.redeem(ticket) for _ in range(20)), return_exceptions=True
    )
    assert [one for one in found if not isinstance(one, TicketInvalid)] == [ALICE]


async def test_it_is_over_by_itself(tickets: Tickets, pass_seconds: PassSeconds) -> None:
    early, late = [await tickets.issue(ALICE) for _ in range(2)]
    await pass_seconds(TICKET_SECONDS - 1)
    assert await tickets.redeem(early) == ALICE
    await pass_seconds(2)
    with pytest.raises(TicketInvalid):
        await tickets.redeem(late)


async def test_each_is_another_and_none_ends_another(tickets: Tickets) -> None:
    made = [await tickets.issue(one) for one in (ALICE, BARE, ALICE)]
    assert len(set(made)) == 3
    assert {len(one) for one in made} == {TICKET_LENGTH}
    assert [await tickets.redeem(one) for one in made] == [ALICE, BARE, ALICE]


@pytest.mark.parametrize("nothing", ["", "x", "x" * TICKET_LENGTH, "é" * TICKET_LENGTH, "x" * 9999])
async def test_what_nobody_issued_is_no_ticket(tickets: Tickets, nothing: str) -> None:
    await tickets.issue(ALICE)
    with pytest.raises(TicketInvalid):
        await tickets.redeem(nothing)
