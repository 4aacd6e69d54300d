"""`presence.base`: every sentence of its docstrings, against every presence."""

from collections.abc import AsyncIterator, Collection

import pytest

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import (
    COUNTED,
    DEVICES,
    LEASE_SECONDS,
    Lease,
    Lookers,
    Presence,
)
from tests.contract.factories_leases import PRESENCES, PassSeconds
from tests.support.presences import connected

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
ONE, TWO = RoomId("1"), RoomId("2")
ALL = (ALICE, BOB, CAROL)


Opened = tuple[Presence, PassSeconds]


@pytest.fixture(params=PRESENCES)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    async with PRESENCES[request.param](request) as opened:
        yield opened


@pytest.fixture
def presence(opened: Opened) -> Presence:
    return opened[0]


async def looking(
    presence: Presence, room_id: RoomId, users: Collection[UserId] = ALL
) -> set[UserId]:
    """Return those with the room on the screen; check that `lookers` tells the same."""
    screens = await presence.screens(users)
    found = {user for user, rooms in screens.items() if room_id in rooms}
    told = (await presence.lookers([room_id], most=COUNTED))[room_id]
    assert told == Lookers(len(found), frozenset(found)) or told.count > COUNTED
    return found


@pytest.fixture
def pass_seconds(opened: Opened) -> PassSeconds:
    return opened[1]


async def test_nobody_is_here_at_first(presence: Presence) -> None:
    await presence.ping()
    assert await connected(presence, ALL) == set()
    assert await looking(presence, ONE) == set()


async def test_a_lease_says_who_is_connected_and_what_is_on_the_screen(presence: Presence) -> None:
    await presence.renew(
        [Lease("a", ALICE, (ONE, TWO)), Lease("b", BOB, (TWO,)), Lease("c", CAROL)]
    )
    assert await connected(presence, ALL) == {ALICE, BOB, CAROL}
    assert await looking(presence, ONE) == {ALICE}
    assert await looking(presence, TWO) == {ALICE, BOB}


async def test_only_those_who_were_asked_about_are_told(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE), Lease("b", BOB)])
    assert await connected(presence, [ALICE, CAROL]) == {ALICE}
    assert await connected(presence, []) == set()


async def test_a_new_lease_takes_the_place_of_the_connections_last_one(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,))])
    await presence.renew([Lease("a", ALICE, (TWO,))])
    assert await looking(presence, ONE) == set()
    assert await looking(presence, TWO) == {ALICE}
    await presence.renew([Lease("a", ALICE)])
    assert await looking(presence, TWO) == set()
    assert await connected(presence, [ALICE]) == {ALICE}


async def test_within_one_call_the_last_one_counts(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,)), Lease("a", ALICE, (TWO,))])
    assert await looking(presence, ONE) == set()
    assert await looking(presence, TWO) == {ALICE}


async def test_a_user_is_here_as_long_as_one_connection_is(presence: Presence) -> None:
    await presence.renew([Lease("phone", ALICE, (ONE,)), Lease("laptop", ALICE, (ONE, TWO))])
    await presence.end(["laptop"])
    assert await connected(presence, [ALICE]) == {ALICE}
    assert await looking(presence, ONE) == {ALICE}
    assert await looking(presence, TWO) == set()
    await presence.end(["phone"])
    assert await connected(presence, [ALICE]) == set()
    assert await looking(presence, ONE) == set()


async def test_ending_what_is_not_there_is_no_matter(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE)])
    await presence.end(["nobody", "a", "a"])
    await presence.end(["a"])
    await presence.end([])
    assert await connected(presence, [ALICE]) == set()


async def test_a_lease_ends_by_itself(presence: Presence, pass_seconds: PassSeconds) -> None:
    """Its gateway died."""
    await presence.renew([Lease("a", ALICE, (ONE,))])
    await pass_seconds(LEASE_SECONDS - 1)
    assert await looking(presence, ONE) == {ALICE}
    await pass_seconds(2)
    assert await looking(presence, ONE) == set()
    assert await connected(presence, [ALICE]) == set()


async def test_renewing_one_lets_it_last(presence: Presence, pass_seconds: PassSeconds) -> None:
    for _ in range(5):
        await presence.renew([Lease("a", ALICE, (ONE,)), Lease("b", BOB)])
        await pass_seconds(LEASE_SECONDS - 1)
    assert await connected(presence, ALL) == {ALICE, BOB}
    await presence.renew([Lease("a", ALICE, (ONE,))])
    await pass_seconds(LEASE_SECONDS - 1)
    assert await connected(presence, ALL) == {ALICE}
    assert await looking(presence, ONE) == {ALICE}


async def test_one_that_ended_by_itself_can_come_back(
    presence: Presence, pass_seconds: PassSeconds
) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,))])
    await pass_seconds(2 * LEASE_SECONDS)
    await presence.renew([Lease("a", ALICE, (TWO,))])
    assert await looking(presence, ONE) == set()
    assert await looking(presence, TWO) == {ALICE}


async def test_a_screen_with_a_room_and_nothing_new_on_it_is_the_same_screen(
    presence: Presence,
) -> None:
    """A renewal of what is known already, and of rooms in another order."""
    for rooms in ((ONE, TWO), (ONE, TWO), (TWO, ONE)):
        await presence.renew([Lease("a", ALICE, rooms)])
        assert await looking(presence, ONE) == await looking(presence, TWO) == {ALICE}
    await presence.end(["a"])
    assert await looking(presence, ONE) == await looking(presence, TWO) == set()


async def test_a_connection_may_turn_out_to_be_another_users(presence: Presence) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,))])
    await presence.renew([Lease("a", BOB, (ONE,))])
    assert await connected(presence, ALL) == {BOB}
    assert await looking(presence, ONE) == {BOB}


async def test_one_of_two_connections_that_ends_by_itself_leaves_the_other(
    presence: Presence, pass_seconds: PassSeconds
) -> None:
    await presence.renew([Lease("phone", ALICE, (ONE,))])
    await pass_seconds(LEASE_SECONDS / 2)
    await presence.renew([Lease("laptop", ALICE, (TWO,))])
    await pass_seconds(LEASE_SECONDS / 2 + 1)
    assert await connected(presence, [ALICE]) == {ALICE}
    assert await looking(presence, ONE) == set()
    assert await looking(presence, TWO) == {ALICE}
    await presence.end(["laptop"])
    assert await connected(presence, [ALICE]) == set()


async def test_in_a_busy_room_those_are_looking_whose_leases_live(
    presence: Presence, pass_seconds: PassSeconds
) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,)), Lease("b", BOB, (ONE,))])
    await pass_seconds(LEASE_SECONDS / 2)
    await presence.renew([Lease("b", BOB, (ONE,)), Lease("c", CAROL, (ONE,))])
    await presence.end(["c"])
    await pass_seconds(LEASE_SECONDS / 2 - 1)
    assert await looking(presence, ONE) == {ALICE, BOB}
    await pass_seconds(2)
    assert await looking(presence, ONE) == {BOB}


async def test_the_screens_of_a_users_connections_are_told_together(presence: Presence) -> None:
    await presence.renew(
        [Lease("phone", ALICE, (ONE,)), Lease("laptop", ALICE, (ONE, TWO)), Lease("b", BOB)]
    )
    assert await presence.screens(ALL) == {ALICE: {ONE, TWO}, BOB: set()}


async def test_of_a_user_with_many_connections_those_renewed_last_are_told_at_least(
    presence: Presence, pass_seconds: PassSeconds
) -> None:
    await presence.renew([Lease(f"c{n}", ALICE, (ONE,)) for n in range(5 * DEVICES)])
    await pass_seconds(1)
    rooms = [RoomId(f"r{n}") for n in range(DEVICES)]
    await presence.renew([Lease(f"c{n}", ALICE, (room,)) for n, room in enumerate(rooms)])
    assert (await presence.screens([ALICE]))[ALICE] >= set(rooms)


async def test_who_looks_is_told_of_many_rooms_at_once(presence: Presence) -> None:
    rooms = [RoomId(f"r{n}") for n in range(50)]
    await presence.renew(
        [
            Lease("a", ALICE, tuple(rooms[:40])),
            Lease("b", BOB, tuple(rooms[30:])),
            Lease("c", CAROL),
        ]
    )
    found = await presence.lookers([*rooms, ONE], most=2)
    assert found == {
        **{room_id: Lookers(1, frozenset({ALICE})) for room_id in rooms[:30]},
        **{room_id: Lookers(2, frozenset({ALICE, BOB})) for room_id in rooms[30:40]},
        **{room_id: Lookers(1, frozenset({BOB})) for room_id in rooms[40:]},
        ONE: Lookers(0, frozenset()),
    }
    assert await presence.lookers([], most=2) == {}


async def test_more_than_are_to_be_named_are_counted(presence: Presence) -> None:
    await presence.renew([Lease(f"c{n}", UserId(f"u{n}"), (ONE,)) for n in range(4)])
    assert await presence.lookers([ONE], most=3) == {ONE: Lookers(4)}
    await presence.end(["c0"])
    users = frozenset(UserId(f"u{n}") for n in range(1, 4))
    assert await presence.lookers([ONE], most=3) == {ONE: Lookers(3, users)}


async def test_who_looks_twice_is_counted_once(presence: Presence) -> None:
    await presence.renew([Lease(f"c{n}", UserId(f"u{n % 3}"), (ONE,)) for n in range(COUNTED)])
    users = frozenset(UserId(f"u{n}") for n in range(3))
    assert await presence.lookers([ONE], most=3) == {ONE: Lookers(3, users)}
    assert await presence.lookers([ONE], most=2) == {ONE: Lookers(3)}
    await presence.renew([Lease("one more", ALICE, (ONE,))])
    assert await presence.lookers([ONE], most=COUNTED) == {ONE: Lookers(COUNTED + 1)}


async def test_who_looked_is_not_told_when_the_lease_has_ended(
    presence: Presence, pass_seconds: PassSeconds
) -> None:
    await presence.renew([Lease("a", ALICE, (ONE,))])
    await pass_seconds(LEASE_SECONDS / 2)
    await presence.renew([Lease("b", BOB, (ONE,))])
    await pass_seconds(LEASE_SECONDS / 2 + 1)
    assert await presence.lookers([ONE], most=5) == {ONE: Lookers(1, frozenset({BOB}))}


async def test_ids_may_hold_every_sign_that_they_may(presence: Presence) -> None:
    odd = [
        UserId("a:b"),
        UserId("{a}"),
        UserId("lease:a"),
        UserId("%S+"),
        UserId("(1"),
        UserId("-"),
    ]
    room = RoomId("-_inf")
    leases = [Lease(f"{{x}} :{n}", user, (room,)) for n, user in enumerate(odd)]
    await presence.renew(leases)
    assert await connected(presence, odd) == set(odd)
    assert await looking(presence, room, odd) == set(odd)
    assert await presence.lookers([room], most=9) == {room: Lookers(len(odd), frozenset(odd))}
    await presence.end([lease.connection_id for lease in leases])
    assert await looking(presence, room, odd) == set()


async def test_ten_thousand_leases_are_no_more_than_many(presence: Presence) -> None:
    """A gateway renews all of its connections in one call."""
    leases = [Lease(f"c{n}", UserId(f"u{n}"), (ONE, RoomId(f"r{n % 100}"))) for n in range(10_000)]
    users = [lease.user_id for lease in leases]
    await presence.renew(leases)
    assert await connected(presence, [*users, ALICE]) == set(users)
    assert await looking(presence, ONE, users) == set(users)
    sevens = {UserId(f"u{n}") for n in range(7, 10_000, 100)}
    assert await looking(presence, RoomId("r7"), users) == sevens
    await presence.end([lease.connection_id for lease in leases[1:]])
    assert await connected(presence, users) == {users[0]}
    assert await looking(presence, ONE, users) == {users[0]}
