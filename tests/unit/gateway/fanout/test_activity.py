"""`activity`: who is here, whole, to each who subscribes first, and then when it changes."""

import json
from collections.abc import AsyncIterator

import pytest

from allibe_gateway.fanout import activity as module
from allibe_gateway.fanout.activity import CROWD
from allibe_gateway.fanout.entries import Entry
from allibe_services.contracts.events import (
    MemberAdded,
    MemberRead,
    RoomPresence,
    ScreenLeft,
    ScreensChanged,
    Typing,
)
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.rooms import Role
from tests.unit.gateway.fakes import ROOM, Subscriber, settle
from tests.unit.gateway.fanout.feeds import opened
from tests.unit.gateway.world import ALICE, BOB, World, world_of

ALONE = RoomPresence(ROOM, 1, (ALICE,))
BOTH = RoomPresence(ROOM, 2, (ALICE, BOB))
ALONE_BODY = '{"type":"presence","roomId":"1","count":1,"users":["alice"]}'
BOTH_BODY = '{"type":"presence","roomId":"1","count":2,"users":["alice","bob"]}'
TYPING_BODY = '{"type":"typing","roomId":"1","user":"alice"}'


class BodyView:
    """Shows bodies, which have no semicolon here."""

    def encode(self, entry: Entry) -> bytes:
        return entry.body + b";"

    encode_for_one = encode


VIEW = BodyView()


class TestFeed:
    async def test_who_comes_first_waits_for_the_answer(self) -> None:
        feed, watcher = (await opened()).it.activity, Subscriber()
        assert not feed.add(VIEW, watcher.outbox)
        await settle()
        assert watcher.frames == []
        feed.show(ALONE)
        await settle()
        assert watcher.frames == [ALONE_BODY]

    async def test_who_comes_later_is_told_first_and_the_others_not_again(self) -> None:
        feed, watcher, newcomer = (await opened()).it.activity, Subscriber(), Subscriber()
        feed.add(VIEW, watcher.outbox)
        feed.show(ALONE)
        await settle()
        assert feed.add(VIEW, newcomer.outbox)
        feed.push(Typing(ROOM, ALICE))
        await settle()
        assert newcomer.frames == [ALONE_BODY, TYPING_BODY]
        assert watcher.frames == [ALONE_BODY, TYPING_BODY]

    async def test_a_change_in_the_same_tick_is_all_that_a_newcomer_is_told(self) -> None:
        feed, watcher, newcomer = (await opened()).it.activity, Subscriber(), Subscriber()
        feed.add(VIEW, watcher.outbox)
        feed.show(ALONE)
        feed.add(VIEW, newcomer.outbox)
        feed.show(BOTH)
        await settle()
        assert newcomer.frames == [BOTH_BODY]

    async def test_what_is_no_change_is_not_told(self) -> None:
        feed, watcher = (await opened()).it.activity, Subscriber()
        feed.add(VIEW, watcher.outbox)
        for presence in (ALONE, ALONE, BOTH, BOTH):
            feed.show(presence)
        await settle()
        assert watcher.frames == [ALONE_BODY, BOTH_BODY]

    async def test_who_leaves_in_the_same_tick_is_told_nothing(self) -> None:
        feed, watcher, newcomer = (await opened()).it.activity, Subscriber(), Subscriber()
        feed.add(VIEW, watcher.outbox)
        feed.show(ALONE)
        feed.add(VIEW, newcomer.outbox)
        assert feed.remove(VIEW, newcomer.outbox)
        assert not feed.remove(VIEW, newcomer.outbox)
        await settle()
        assert newcomer.frames == []

    async def test_what_nobody_watched_is_asked_for_afresh(self) -> None:
        feed, watcher = (await opened()).it.activity, Subscriber()
        feed.add(VIEW, watcher.outbox)
        feed.show(ALONE)
        feed.remove(VIEW, watcher.outbox)
        feed.show(BOTH)
        assert not feed.add(VIEW, watcher.outbox)

    async def test_a_slow_consumer_is_not_told(self) -> None:
        feed, watcher, slow = (await opened()).it.activity, Subscriber(), Subscriber(shed=10)
        feed.add(VIEW, watcher.outbox)
        feed.show(ALONE)
        slow.transport.unsent = 11
        feed.add(VIEW, slow.outbox)
        await settle()
        feed.show(BOTH)
        await settle()
        assert (watcher.frames, slow.frames) == ([ALONE_BODY, BOTH_BODY], [])


class TestCrowd:
    """Thousands do something at once when a message comes: they read it."""

    READ, LEFT = MemberRead(ROOM, BOB, 3), ScreenLeft(ROOM, BOB)
    ADDED = MemberAdded(ROOM, BOB, Role.MEMBER)

    async def test_reading_and_leaving_are_not_told_and_typing_once_a_second(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        feed, watcher = (await opened()).it.activity, Subscriber()
        feed.add(VIEW, watcher.outbox)
        feed.show(RoomPresence(ROOM, CROWD + 1))
        for event in (self.READ, self.LEFT, Typing(ROOM, BOB), Typing(ROOM, ALICE), self.ADDED):
            feed.push(event)
        await settle()
        assert [told["type"] for told in map(json.loads, watcher.frames)] == [
            "presence",
            "typing",
            "member-added",
        ]
        monkeypatch.setattr(module, "TYPING_SECONDS", 0.0)
        feed._next_typing = 0.0
        feed.push(Typing(ROOM, ALICE))
        await settle()
        assert watcher.frames[-1] == TYPING_BODY

    async def test_so_many_subscribers_are_one_whatever_presence_knows(self) -> None:
        feed = (await opened()).it.activity
        watchers = [Subscriber() for _ in range(CROWD + 1)]
        for watcher in watchers:
            feed.add(VIEW, watcher.outbox)
        feed.push(self.READ)
        feed.remove(VIEW, watchers[-1].outbox)
        feed.push(self.LEFT)
        await settle()
        assert [json.loads(one)["type"] for one in watchers[0].frames] == ["left"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with world_of() as world:
        yield world


@pytest.fixture
def asked(world: World) -> list[RoomId]:
    asked: list[RoomId] = []
    world.hub.when_screens_change(asked.append)
    return asked


class TestHub:
    async def test_only_where_somebody_wants_to_know_is_it_asked_for(
        self, world: World, asked: list[RoomId]
    ) -> None:
        reader, watcher = Subscriber(), Subscriber()
        await world.hub.join(ROOM, VIEW, reader.outbox, None)
        world.hub.on_events([ScreensChanged(ROOM)])
        assert (asked, world.hub.watched()) == ([], [])
        await world.hub.join_activity(ROOM, VIEW, watcher.outbox)
        assert (asked, world.hub.watched()) == ([ROOM], [ROOM])
        world.hub.show_presence(ALONE)
        await world.hub.join_activity(ROOM, VIEW, Subscriber().outbox)
        assert asked == [ROOM]
        world.hub.on_events([ScreensChanged(ROOM), ScreensChanged(RoomId("elsewhere"))])
        assert asked == [ROOM, ROOM]
        await settle()
        assert (reader.frames, watcher.frames) == ([], [ALONE_BODY])

    async def test_a_room_that_is_not_open_here_is_shown_to_nobody(self, world: World) -> None:
        world.hub.show_presence(ALONE)
