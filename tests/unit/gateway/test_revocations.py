"""`revocations`: memberships that ended without a word end subscriptions all the same."""

import asyncio
from collections.abc import Collection, Sequence

import pytest

from allibe_gateway.revocations import Revocations
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.events import Event, RoomLeft
from allibe_services.contracts.ids import RoomId, UserId
from tests.unit.gateway.members import FakeMembers

ALICE, BOB = UserId("alice"), UserId("bob")
ROOM = RoomId("1")


class FakeHub:
    """Who subscribes to what, and what the hub was told."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    def users_by_room(self) -> dict[RoomId, set[UserId]]:
        return {ROOM: {ALICE, BOB}}

    def on_events(self, events: Sequence[Event]) -> None:
        self.told.extend(events)


async def test_who_is_no_member_any_more_is_told() -> None:
    """I6, also where the event of the removal was lost."""
    hub, members = FakeHub(), FakeMembers()
    members.join(ROOM, ALICE)
    await Revocations(hub, members).check()
    assert hub.told == [RoomLeft(to=BOB, room_id=ROOM)]


async def test_members_notice_nothing() -> None:
    hub, members = FakeHub(), FakeMembers()
    members.join(ROOM, ALICE, BOB)
    await Revocations(hub, members).check()
    assert hub.told == []


async def test_a_store_that_is_away_ends_nothing() -> None:
    class Away(FakeMembers):
        async def among(self, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
            raise StoreUnavailable

    hub = FakeHub()
    with pytest.raises(StoreUnavailable):
        await Revocations(hub, Away()).check()
    assert hub.told == []


async def test_doubt_makes_it_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus was away, and the event of a removal may be lost; again until the store answers."""
    monkeypatch.setattr("allibe_gateway.comparing.RETRY_SECONDS", 0)

    class Late(FakeMembers):
        refusals = 2

        async def among(self, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
            if self.refusals:
                self.refusals -= 1
                raise StoreUnavailable
            return await super().among(room_id, users)

    hub = FakeHub()
    revocations = Revocations(hub, Late())
    running = asyncio.create_task(revocations.run())
    await asyncio.sleep(0.01)
    assert hub.told == []
    revocations.doubt()
    await asyncio.sleep(0.05)
    running.cancel()
    assert len(hub.told) == 2


async def test_a_room_that_cannot_be_checked_keeps_no_other_from_it() -> None:
    other = RoomId("2")

    class Two(FakeHub):
        def users_by_room(self) -> dict[RoomId, set[UserId]]:
            return {ROOM: {ALICE}, other: {BOB}}

    class Flaky(FakeMembers):
        async def among(self, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
            if room_id == ROOM:
                raise StoreUnavailable
            return await super().among(room_id, users)

    hub = Two()
    with pytest.raises(StoreUnavailable):
        await Revocations(hub, Flaky()).check()
    assert hub.told == [RoomLeft(to=BOB, room_id=other)]
