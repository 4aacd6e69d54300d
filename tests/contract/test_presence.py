"""`presence.base`: every sentence of its docstrings, against every presence."""

from collections.abc import AsyncIterator

import pytest

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import LEASE_SECONDS, Lease, Presence
from tests.contract.factories_bus import PRESENCES

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
ONE, TWO = RoomId("1"), RoomId("2")
ALL = (ALICE, BOB, CAROL)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=PRESENCES)
async def presence(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Presence]:
    async with PRESENCES[request.param](clock) as presence:
        yield presence


async def test_nobody_is_here_at_first(presence: Presence) -> None:
    await presence.ping()
    assert await presence.connected(ALL) == set()
    assert await presence.looking(ONE) == set()


async def test_a_lease_says_who_is_connected_and_what_is_on_the_screen(presence: Presence) -> None:
    await presence.renew(
        [Lease("a", ALICE, (ONE, TWO)), Lease("b", BOB, (TWO,)), Lease("c", CAROL)]
    )
    assert await presence.connected(ALL) == {ALICE, BOB, CAROL}
    assert await presence.looking(ONE) == {ALICE}
    assert await presence.looking(TWO) == {ALICE, BOB}


async def test_only_those_who_were_asked_about_are_told(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE), Lease("b", BOB)])
    assert await presence.connected([ALICE, CAROL]) == {ALICE}
    assert await presence.connected([]) == set()


async def test_a_new_lease_takes_the_place_of_the_connections_last_one(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,))])
    await presence.renew([Lease("a", ALICE, (TWO,))])
    assert await presence.looking(ONE) == set()
    assert await presence.looking(TWO) == {ALICE}
    await presence.renew([Lease("a", ALICE)])
    assert await presence.looking(TWO) == set()
    assert await presence.connected([ALICE]) == {ALICE}


async def test_within_one_call_the_last_one_counts(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,)), Lease("a", ALICE, (TWO,))])
    assert await presence.looking(ONE) == set()
    assert await presence.looking(TWO) == {ALICE}


async def test_a_user_is_here_as_long_as_one_connection_is(presence: Presence) -> None:
    await presence.renew([Lease("phone", ALICE, (ONE,)), Lease("laptop", ALICE, (ONE, TWO))])
    await presence.end(["laptop"])
    assert await presence.connected([ALICE]) == {ALICE}
    assert await presence.looking(ONE) == {ALICE}
    assert await presence.looking(TWO) == set()
    await presence.end(["phone"])
    assert await presence.connected([ALICE]) == set()
    assert await presence.looking(ONE) == set()


async def test_ending_what_is_not_there_is_no_matter(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE)])
    await presence.end(["nobody", "a", "a"])
    await presence.end(["a"])
    await presence.end([])
    assert await presence.connected([ALICE]) == set()


async def test_a_lease_ends_by_itself(presence: Presence, clock: Clock) -> None:
    """Its gateway died."""
    await presence.renew([Lease("a", ALICE, (ONE,))])
    clock.now += LEASE_SECONDS - 1
    assert await presence.looking(ONE) == {ALICE}
    clock.now += 2
    assert await presence.looking(ONE) == set()
    assert await presence.connected([ALICE]) == set()


async def test_renewing_one_lets_it_last(presence: Presence, clock: Clock) -> None:
    for _ in range(5):
        await presence.renew([Lease("a", ALICE, (ONE,)), Lease("b", BOB)])
        clock.now += LEASE_SECONDS - 1
    assert await presence.connected(ALL) == {ALICE, BOB}
    await presence.renew([Lease("a", ALICE, (ONE,))])
    clock.now += LEASE_SECONDS - 1
    assert await presence.connected(ALL) == {ALICE}
    assert await presence.looking(ONE) == {ALICE}


async def test_one_that_ended_by_itself_can_come_back(presence: Presence, clock: Clock) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,))])
    clock.now += 2 * LEASE_SECONDS
    await presence.renew([Lease("a", ALICE, (TWO,))])
    assert await presence.looking(ONE) == set()
    assert await presence.looking(TWO) == {ALICE}
