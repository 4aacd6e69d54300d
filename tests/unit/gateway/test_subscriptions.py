"""`subscriptions`: what a connection subscribes to, and how that ends."""

import asyncio

import pytest

from allibe_gateway.fanout.room_feed import Joined
from allibe_services.contracts.errors import (
    BusUnavailable,
    Conflict,
    NotAMember,
    StoreUnavailable,
    TooManySubscriptions,
)
from allibe_services.contracts.events import (
    RoomJoined,
    RoomLeft,
    Typing,
)
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.rooms import Role
from tests.unit.gateway.fakes import ROOM, Subscriber, message, settle
from tests.unit.gateway.fanout.feeds import at
from tests.unit.gateway.users import IMPATIENT, VIEW, User
from tests.unit.gateway.world import ALICE, BOB, OTHER


class TestSubscribing:
    async def test_a_member_gets_what_comes(self, alice: User) -> None:
        joined = await alice.subscribe()
        assert joined == Joined(at(0), None)
        alice.world.hub.on_events(alice.world.store.log.commit(2))
        await settle()
        assert alice.subscriber.offsets == [1, 2]
        assert alice.world.figure("subscriptions") == 1

    async def test_what_was_missed_comes_first(self, alice: User) -> None:
        alice.world.store.log.commit(5)
        joined = await alice.subscribe(since=at(2))
        assert joined == Joined(at(5), recovered=True)
        assert alice.subscriber.offsets == [3, 4, 5]
        assert alice.world.figure("recoveries_total", result="complete") == 1

    @pytest.mark.parametrize("limits", [IMPATIENT])
    async def test_who_takes_too_long_over_it_is_a_slow_consumer(self, alice: User) -> None:
        """It comes back after a pause, and not at once as from a store that is away."""
        long = [message(offset, "x" * (1 << 16)) for offset in range(1, 31)]
        alice.world.store.log.rooms[ROOM] = long  # more than the gateway keeps
        alice.subscriber.transport.unsent = (1 << 16) + 1
        with pytest.raises(StoreUnavailable):
            await alice.subscribe(since=at(0))
        assert alice.subscriber.overflows == 1

    async def test_too_far_behind_is_counted_as_such(self, alice: User) -> None:
        assert await alice.subscribe(since=at(5)) == Joined(at(0), recovered=False)
        assert alice.world.figure("recoveries_total", result="incomplete") == 1

    async def test_activity_is_a_stream_of_its_own(self, alice: User) -> None:
        assert await alice.subscribe(stream="activity") is None
        alice.world.hub.on_events([Typing(room_id=ROOM, user=BOB), message(1)])
        await settle()
        assert alice.subscriber.frames == ["v:0"]
        alice.session.unsubscribe("s1")
        alice.world.hub.on_events([Typing(room_id=ROOM, user=BOB)])
        await settle()
        assert alice.subscriber.frames == ["v:0"]

    async def test_activity_after_the_log_asks_the_store_no_more(self, alice: User) -> None:
        """Many come back at once, with both; the two end together."""
        members = alice.world.store.members
        await alice.subscribe("alone", OTHER, "activity")
        await alice.subscribe("log")
        assert members.asked == 2
        await alice.subscribe("activity", stream="activity")
        assert members.asked == 2
        alice.session.unsubscribe("log")
        alice.session.unsubscribe("activity")
        members.leave(ROOM, ALICE)
        with pytest.raises(NotAMember):
            await alice.subscribe("activity", stream="activity")

    async def test_a_log_that_comes_and_goes_changes_a_screen_and_activity_does_not(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[RoomId | None] = []
        monkeypatch.setattr(
            alice.world.reporter, "changed", lambda _, __, room_id=None: told.append(room_id)
        )
        await alice.subscribe("log")
        await alice.subscribe("activity", stream="activity")
        alice.session.unsubscribe("activity")
        assert told == [ROOM]
        await alice.subscribe("other", OTHER)
        alice.session.unsubscribe("log")
        assert told == [ROOM, OTHER, ROOM]
        await alice.session.close()
        assert told == [ROOM, OTHER, ROOM, OTHER]

    async def test_who_is_no_member_is_refused(self, alice: User) -> None:
        """I6."""
        alice.world.store.members.leave(ROOM, ALICE)
        with pytest.raises(NotAMember):
            await alice.subscribe()
        assert alice.session.subscriptions.ids() == []
        assert alice.world.bus.keys == {"user.alice"}

    async def test_an_id_is_used_once(self, alice: User) -> None:
        await alice.subscribe("s1")
        with pytest.raises(Conflict):
            await alice.subscribe("s1", OTHER)
        alice.session.unsubscribe("s1")
        await alice.subscribe("s1", OTHER)

    async def test_there_is_a_bound(self, alice: User) -> None:
        """I7."""
        for number in range(3):
            await alice.subscribe(str(number))
        with pytest.raises(TooManySubscriptions):
            await alice.subscribe("3")
        alice.session.unsubscribe("0")
        await alice.subscribe("3")

    @pytest.mark.parametrize("fault", ["store", "bus"])
    async def test_one_that_cannot_begin_leaves_nothing(self, alice: User, fault: str) -> None:
        await alice.session._check_member(ROOM)  # known by now
        alice.world.store.log.away, alice.world.bus.away = fault == "store", fault == "bus"
        with pytest.raises((StoreUnavailable, BusUnavailable)):
            await alice.subscribe()
        alice.world.store.log.away = alice.world.bus.away = False
        assert alice.session.subscriptions.ids() == []
        assert alice.world.figure("subscriptions") == 0
        assert alice.world.figure("recoveries_total", result="failed") == 0
        await alice.subscribe()

    async def test_a_recovery_that_cannot_begin_is_counted_as_failed(self, alice: User) -> None:
        await alice.session._check_member(ROOM)
        alice.world.store.log.away = True
        with pytest.raises(StoreUnavailable):
            await alice.subscribe(since=at(2))
        assert alice.world.figure("recoveries_total", result="failed") == 1
        assert alice.world.figure("recovery_seconds_count") == 1

    @pytest.mark.parametrize("limits", [IMPATIENT])
    async def test_one_that_takes_too_long_may_be_tried_again(self, alice: User) -> None:
        alice.world.store.log.hold()
        with pytest.raises(StoreUnavailable):
            await alice.subscribe()
        assert alice.session.subscriptions.ids() == []
        assert len(alice.world.hub._places[ROOM].feed.entries) == 0

    async def test_unsubscribing_ends_it_and_an_unknown_id_is_no_error(self, alice: User) -> None:
        await alice.subscribe()
        alice.session.unsubscribe("s1")
        alice.session.unsubscribe("s1")
        alice.session.unsubscribe("never")
        alice.world.hub.on_events(alice.world.store.log.commit())
        await settle()
        assert alice.subscriber.offsets == []
        assert alice.world.figure("subscriptions") == 0


class TestRevocation:
    """I6: when a membership ends, so does everything that it allowed, at once."""

    def revoke(self, user: User) -> None:
        user.world.store.members.leave(ROOM, ALICE)
        user.world.hub.on_events([RoomLeft(to=ALICE, room_id=ROOM)])

    async def test_it_ends_all_subscriptions_to_the_room_and_no_others(self, alice: User) -> None:
        await alice.subscribe("log")
        await alice.subscribe("activity", stream="activity")
        await alice.subscribe("other", OTHER)
        self.revoke(alice)
        alice.world.hub.on_events([*alice.world.store.log.commit(), Typing(room_id=ROOM, user=BOB)])
        await settle()
        assert alice.subscriber.frames == []
        assert alice.door.revoked == ["log", "activity"]
        assert alice.session.subscriptions.ids() == ["other"]
        assert alice.door.events == [RoomLeft(to=ALICE, room_id=ROOM)]

    async def test_posting_and_typing_end_too(self, alice: User) -> None:
        await alice.post()
        self.revoke(alice)
        with pytest.raises(NotAMember):
            await alice.post()
        with pytest.raises(NotAMember):
            await alice.session.typing(ROOM)
        assert len(alice.world.bus.posted) == 1

    async def test_a_post_that_waits_for_its_turn_is_refused(self, alice: User) -> None:
        """What is in flight is full; the membership ends before there is room."""
        futures = [await alice.post() for _ in range(2)]
        posting = asyncio.create_task(alice.post())
        await settle()
        self.revoke(alice)
        futures[0].set_result(None)
        with pytest.raises(NotAMember):
            await posting
        assert len(alice.world.bus.posted) == 2

    async def test_a_subscription_that_is_being_opened_does_not_begin(self, alice: User) -> None:
        alice.world.bus.free_to_bind.clear()
        subscribing = asyncio.create_task(alice.subscribe())
        await settle()
        self.revoke(alice)
        alice.world.bus.free_to_bind.set()
        with pytest.raises(NotAMember):
            await subscribing
        alice.world.hub.on_events(alice.world.store.log.commit())
        await settle()
        assert alice.subscriber.frames == []
        assert alice.session.subscriptions.ids() == []

    async def test_a_replay_stops_at_once(self, alice: User) -> None:
        """A long one goes on for as long as the client takes to read it."""
        alice.world.store.log.commit(30)
        await alice.world.hub.join(ROOM, VIEW, Subscriber().outbox, None)
        alice.world.store.log.hold()
        subscribing = asyncio.create_task(alice.subscribe(since=at(0)))
        await settle()
        self.revoke(alice)
        await settle()
        alice.world.store.log.let_go()
        with pytest.raises(NotAMember):
            await subscribing
        assert alice.subscriber.frames == []

    async def test_one_that_did_not_begin_is_refused_once(self, alice: User) -> None:
        """By the answer to its request, not by an ending as well."""
        alice.world.bus.free_to_bind.clear()
        subscribing = asyncio.create_task(alice.subscribe())
        await settle()
        self.revoke(alice)
        alice.world.bus.free_to_bind.set()
        with pytest.raises(NotAMember):
            await subscribing
        assert alice.door.revoked == []

    async def test_one_that_comes_while_the_store_is_asked_counts(self, alice: User) -> None:
        alice.world.store.members.free.clear()
        subscribing = asyncio.create_task(alice.subscribe())
        await settle()
        self.revoke(alice)
        alice.world.store.members.free.set()
        with pytest.raises(NotAMember):
            await subscribing

    async def test_a_new_membership_counts_at_once(self, alice: User) -> None:
        await alice.subscribe()
        self.revoke(alice)
        alice.world.store.members.join(ROOM, ALICE)
        joined = RoomJoined(to=ALICE, room_id=ROOM, role=Role.MEMBER)
        alice.world.hub.on_events([joined])
        assert alice.door.events[-1] == joined
        await alice.subscribe()
