"""`notifier`: who hears of a message besides those who look at the room."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import pytest

from allibe_fanout_worker import notifier as module
from allibe_fanout_worker import rests
from allibe_fanout_worker.notifier import Notifier
from allibe_services.contracts.commands import Outcome, Rejected, Stored
from allibe_services.contracts.errors import BusUnavailable, StoreUnavailable
from allibe_services.contracts.events import Event, Notification, RoomChanged
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from tests.support.until import until
from tests.unit.fanout_worker.fakes import (
    ALICE,
    BOB,
    CAROL,
    ONE,
    TWO,
    FakeBus,
    FakePresence,
    FakeStore,
    message,
)


class World:
    """A notifier over fakes; alice, bob and carol are in room 1 and connected."""

    def __init__(self) -> None:
        self.bus = FakeBus()
        self.store = FakeStore()
        self.presence = FakePresence()
        self.presence.here = {ALICE, BOB, CAROL}
        self.store.members.of = {ONE: {ALICE: 0, BOB: 3, CAROL: 1}, TWO: {BOB: 1}}
        self.notifier = Notifier(self.store, self.presence, self.bus)

    def stored(
        self, count: int = 1, *, room: RoomId = ONE, sender: UserId = ALICE
    ) -> list[Message]:
        """Let the log have so many more messages; return them."""
        log = self.store.log.rooms[room]
        fresh = [message(len(log) + 1 + n, room=room, sender=sender) for n in range(count)]
        log.extend(fresh)
        return fresh

    async def round(self, *messages: Message, duplicate: bool = False) -> list[Event]:
        """Return what one round publishes after these were stored."""
        return await self.round_of(*(Stored(one, duplicate) for one in messages))

    async def round_of(self, *outcomes: Outcome) -> list[Event]:
        self.bus.published.clear()
        self.notifier.stored(outcomes)
        await self.notifier._round()
        return list(self.bus.published)

    async def run_until_told(self, wanted: Callable[[Event], bool]) -> None:
        """Let it go its rounds until it has published such an event."""
        running = asyncio.create_task(self.notifier.run())
        await until(lambda: any(map(wanted, self.bus.published)))
        running.cancel()


@pytest.fixture
def world() -> World:
    return World()


def told(events: list[Event]) -> dict[tuple[str, UserId], int]:
    """Return the unread count that each user was told, by kind of event."""
    return {
        (type(event).__name__, event.to): event.unread_count
        for event in events
        if isinstance(event, RoomChanged | Notification)
    }


class TestWho:
    async def test_members_hear_of_it_and_the_sender_sees_only_the_list_change(
        self, world: World
    ) -> None:
        assert told(await world.round(*world.stored())) == {
            ("RoomChanged", ALICE): 0,
            ("RoomChanged", BOB): 3,
            ("Notification", BOB): 3,
            ("RoomChanged", CAROL): 1,
            ("Notification", CAROL): 1,
        }

    async def test_who_looks_at_the_room_is_not_notified(self, world: World) -> None:
        """Presence says whose screen it is on."""
        world.presence.at = {ONE: {BOB}}
        events = told(await world.round(*world.stored()))
        assert ("RoomChanged", BOB) in events
        assert ("Notification", BOB) not in events
        assert ("Notification", CAROL) in events

    async def test_who_is_not_connected_hears_nothing(self, world: World) -> None:
        world.presence.here = {CAROL}
        assert {user for _, user in told(await world.round(*world.stored()))} == {CAROL}

    async def test_nobody_outside_the_room_hears_of_it(self, world: World) -> None:
        """I6."""
        world.presence.here.add(UserId("mallory"))
        events = told(await world.round(*world.stored(room=TWO)))
        assert {user for _, user in events} == {BOB}

    async def test_a_large_room_is_gone_through_page_by_page(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "PAGE", 2)
        users = [UserId(f"u{number}") for number in range(5)]
        world.store.members.of[ONE] = dict.fromkeys(users, 1)
        world.presence.here = set(users)
        events = told(await world.round(*world.stored()))
        assert {user for _, user in events} == set(users)
        assert sorted({after or "" for _, after in world.store.members.pages}) == [
            "",
            "u1",
            "u3",
        ]

    async def test_rooms_are_gone_through_together(self, world: World) -> None:
        """A thousand rooms of two are not a thousand transactions."""
        world.presence.here = {ALICE}
        await world.round(*world.stored(), *world.stored(room=TWO))
        assert world.store.members.reads == 1

    async def test_many_events_are_published_in_parts(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "EVENTS", 2)
        events = await world.round(*world.stored())
        assert len(events) == 5
        assert [count for step, count in world.bus.steps if step == "publish"] == [2, 2, 1]

    async def test_a_room_that_is_gone_is_no_matter(self, world: World) -> None:
        del world.store.members.of[ONE]
        assert await world.round(*world.stored()) == []


class TestWhat:
    async def test_the_list_shows_the_message_and_the_notification_holds_it(
        self, world: World
    ) -> None:
        (last,) = world.stored()
        events = [event for event in await world.round(last) if getattr(event, "to", "") == BOB]
        assert events == [
            RoomChanged(
                to=BOB,
                room_id=ONE,
                unread_count=3,
                last_message=last.content,
                last_message_at=last.sent_at,
                last_message_sender=ALICE,
            ),
            Notification(to=BOB, room_id=ONE, message=last, unread_count=3),
        ]

    async def test_several_messages_of_a_room_become_one_round_about_the_last(
        self, world: World
    ) -> None:
        events = await world.round(*world.stored(50))
        notifications = [event for event in events if isinstance(event, Notification)]
        assert [event.message.offset for event in notifications] == [50, 50]
        assert world.store.members.pages[0] == (ONE, None)

    async def test_rooms_are_told_apart(self, world: World) -> None:
        events = await world.round(*world.stored(room=ONE), *world.stored(room=TWO))
        rooms = {event.room_id for event in events if isinstance(event, Notification)}
        assert rooms == {ONE, TWO}

    async def test_a_duplicate_of_an_old_message_does_not_hide_the_new_one(
        self, world: World
    ) -> None:
        """A batch may hold both: a client that repeats itself, and somebody's news."""
        first, last = world.stored(2)
        events = await world.round_of(Stored(last), Stored(first, duplicate=True))
        assert {event.last_message for event in events if isinstance(event, RoomChanged)} == {
            last.content
        }

    async def test_a_duplicate_of_an_old_message_is_no_news(self, world: World) -> None:
        """Somebody repeats a message of yesterday: the list must not go back to it."""
        first, *_ = world.stored(2)
        assert await world.round(first, duplicate=True) == []

    async def test_a_duplicate_that_is_the_last_message_is_told_again(self, world: World) -> None:
        """The worker that stored it may have died before it told anybody."""
        (last,) = world.stored()
        assert await world.round(last) == await world.round(last, duplicate=True) != []

    async def test_what_was_rejected_is_no_news(self, world: World) -> None:
        assert await world.round_of(Rejected("unknown_room", "There is no such room.")) == []

    async def test_a_room_whose_log_was_reset_is_told_of_its_new_messages(
        self, world: World
    ) -> None:
        """Offsets of another epoch are not comparable."""
        fresh = msgspec.structs.replace(message(1), epoch="e2")
        events = await world.round_of(Stored(message(9)), Stored(fresh))
        assert {event.last_message for event in events if isinstance(event, RoomChanged)} == {
            fresh.content
        }


class TestReading:
    """Whoever reads tells the user's devices; what was counted before must not be the last word."""

    async def test_who_reads_while_they_are_told_are_told_anew(self, world: World) -> None:
        (last,) = world.stored()
        world.bus.meanwhile = [lambda: count(world, BOB, 1), lambda: count(world, BOB, 0)]
        events = await world.round(last)
        corrected = [RoomChanged(to=BOB, room_id=ONE, unread_count=left) for left in (1, 0)]
        assert events[-2:] == corrected

    async def test_others_are_told_once(self, world: World) -> None:
        """Further messages, too, have a round of their own."""
        (last,) = world.stored()
        world.bus.meanwhile = [lambda: count(world, BOB, 4)]
        changes = [one.to for one in await world.round(last) if isinstance(one, RoomChanged)]
        assert sorted(changes) == [ALICE, BOB, CAROL]


def count(world: World, user: UserId, unread: int) -> None:
    """Let so many be unread by the user from now on."""
    world.store.members.of[ONE][user] = unread


class TestFaults:
    """It works behind the log: a round that fails is tried again with the next."""

    @pytest.mark.parametrize("fault", ["members", "presence", "bus"])
    async def test_what_could_not_be_told_is_told_with_the_next(
        self, world: World, fault: str
    ) -> None:
        if fault == "members":
            world.store.members.failures = [StoreUnavailable()]
        elif fault == "presence":
            world.presence.failures = [StoreUnavailable()]
        else:
            world.bus.failures = 1
        await world.round(*world.stored(room=ONE))
        events = await world.round(*world.stored(room=TWO))
        rooms = {event.room_id for event in events if isinstance(event, Notification)}
        assert rooms == {ONE, TWO}

    async def test_some_rooms_that_fail_do_not_keep_the_others_from_theirs(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "ROOMS", 1)
        world.store.members.failures = [StoreUnavailable()]
        events = await world.round(*world.stored(room=ONE), *world.stored(room=TWO))
        assert {event.room_id for event in events if isinstance(event, Notification)} == {TWO}

    async def test_newer_news_takes_the_place_of_what_failed(self, world: World) -> None:
        world.bus.failures = 1
        await world.round(*world.stored())
        events = await world.round(*world.stored())
        notifications = [event for event in events if isinstance(event, Notification)]
        assert [event.message.offset for event in notifications] == [2, 2]

    async def test_news_is_bounded_and_the_oldest_goes(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """I7. Lists are right on reload."""
        monkeypatch.setattr(module, "ROOMS_WITH_NEWS", 3)
        world.notifier.stored([Stored(message(1, room=RoomId(str(n)))) for n in range(10)])
        assert list(world.notifier._news) == ["7", "8", "9"]

    async def test_what_failed_counts_within_that_bound(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "ROOMS_WITH_NEWS", 1)
        world.store.members.failures = [BusUnavailable(), BusUnavailable()]
        await world.round(*world.stored(room=ONE))
        await world.round(*world.stored(room=TWO))
        assert len(world.notifier._news) == 1


async def test_it_runs_round_after_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.001)
    running = asyncio.create_task(world.notifier.run())
    for offset in (1, 2, 3):
        world.notifier.stored([Stored(one) for one in world.stored()])
        await until(
            lambda offset=offset: any(  # type: ignore[misc]
                isinstance(event, Notification) and event.message.offset == offset
                for event in world.bus.published
            )
        )
    assert not running.done()
    running.cancel()


async def test_what_failed_is_told_without_other_news(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was away is back, and nobody says anything in the room for an hour."""
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.001)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
    world.bus.failures = 3
    world.notifier.stored([Stored(one) for one in world.stored()])
    await world.run_until_told(lambda event: isinstance(event, Notification))


async def test_a_room_whose_round_took_long_has_its_news_later_and_the_others_do_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rests`: a busy large room costs the others little."""
    monkeypatch.setattr(rests, "LARGE", 1)
    monkeypatch.setattr(rests, "PARTS", 1e9)
    monkeypatch.setattr(rests, "LONGEST_SECONDS", 0.5)
    await world.round(*world.stored())
    events = await world.round(*world.stored(), *world.stored(room=TWO))
    assert {event.room_id for event in events if isinstance(event, RoomChanged)} == {TWO}
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.001)
    world.bus.published.clear()
    await world.run_until_told(lambda event: getattr(event, "room_id", "") == ONE)


async def test_at_the_end_rooms_that_rest_are_told_of_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rests, "LARGE", 1)
    monkeypatch.setattr(rests, "PARTS", 1e9)
    await world.round(*world.stored())
    await world.round(*world.stored())
    await world.notifier.finish()
    assert told(world.bus.published)[("Notification", BOB)] == 3


async def test_at_the_end_news_that_came_during_a_long_round_are_told_of_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round that is under way lets its room rest, when `finish` waits for it already."""
    monkeypatch.setattr(rests, "LARGE", 1)
    monkeypatch.setattr(rests, "PARTS", 1e9)
    first, last = world.stored(2)
    may_go_on, publish = asyncio.Event(), world.bus.publish

    async def slowly(events: Sequence[Event]) -> None:
        await may_go_on.wait()
        await publish(events)

    monkeypatch.setattr(world.bus, "publish", slowly)
    under_way = asyncio.create_task(world.round(first))
    await asyncio.sleep(0.01)
    world.notifier.stored([Stored(last)])
    ending = asyncio.create_task(world.notifier.finish())
    await asyncio.sleep(0.01)
    may_go_on.set()
    await asyncio.gather(under_way, ending)
    notifications = [one for one in world.bus.published if isinstance(one, Notification)]
    assert last in [one.message for one in notifications]
