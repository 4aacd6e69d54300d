"""`fanout.room_feed`: rules 1 to 3 of its docstring, and its end. Joining is beside."""

import asyncio

import pytest

from allibe_gateway.fanout import room_feed as module
from allibe_gateway.fanout.entries import Entry
from allibe_services.contracts.errors import StoreUnavailable, UnknownRoom
from allibe_services.contracts.events import Typing
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.rooms import Head
from tests.support.until import until
from tests.unit.gateway.fakes import ROOM, FakeLog, Subscriber, message, settle
from tests.unit.gateway.fanout.feeds import Feed, at, opened

pytestmark = pytest.mark.usefixtures("impatient")


class TestOpening:
    """The feed begins at the end of the log; its events are bound before."""

    async def test_it_begins_at_the_end_of_the_log(self) -> None:
        feed = await opened(stored=3)
        _, joined = await feed.join()
        assert joined.position == at(3)
        assert joined.recovered is None

    async def test_an_unknown_room_cannot_be_opened(self) -> None:
        feed = Feed(FakeLog())
        del feed.log.rooms[ROOM]
        with pytest.raises(UnknownRoom):
            await feed.it.open()

    async def test_an_event_that_came_while_the_head_was_read_is_not_lost(self) -> None:
        """Committed after the read, heard before its answer: else it shows only with the next
        message, or with the comparison half a minute later (I8).
        """
        feed = Feed(FakeLog())
        feed.log.commit(2)
        feed.log.hold()
        opening = asyncio.create_task(feed.it.open())
        await settle()
        feed.log.commit()
        feed.hear(3)
        feed.log.let_go()
        await opening

        _, joined = await feed.join()
        assert joined.position == at(3)

    async def test_several_of_them_are_read_from_the_log(self) -> None:
        feed = Feed(FakeLog())
        feed.log.hold()
        opening = asyncio.create_task(feed.it.open())
        await settle()
        feed.log.commit(3)
        feed.hear(1, 2, 3)
        feed.log.let_go()
        await opening

        subscriber, joined = await feed.join(at(0))
        await settle()
        assert subscriber.offsets == [1, 2, 3]
        assert joined.recovered

    async def test_an_event_that_the_head_includes_is_dropped(self) -> None:
        feed = Feed(FakeLog())
        feed.log.hold()
        feed.log.commit(2)
        opening = asyncio.create_task(feed.it.open())
        await settle()
        feed.hear(1)
        feed.log.let_go()
        await opening
        assert not feed.filling
        assert (await feed.join())[1].position == at(2)

    async def test_nobody_joins_before_it_is_open(self) -> None:
        with pytest.raises(StoreUnavailable):
            await Feed(FakeLog()).join()

    async def test_a_comparison_before_it_is_open_is_no_matter(self) -> None:
        feed = Feed(FakeLog())
        feed.it.compare(Head("e1", 5), seen=0)
        assert not feed.filling


class TestOrder:
    """Rule 2: at or below the last is dropped, the next is handed out, a later one is a gap."""

    async def test_the_next_event_is_handed_out(self) -> None:
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(2)
        assert feed.hear(1, 2) == [True, True]
        await settle()
        assert subscriber.offsets == [1, 2]

    async def test_events_of_one_tick_are_one_write(self) -> None:
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(3)
        feed.hear(1, 2, 3)
        await settle()
        assert len(subscriber.transport.written) == 1

    async def test_duplicates_are_dropped(self) -> None:
        """A redelivered command publishes its event again (DESIGN §1.3)."""
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(2)
        assert feed.hear(1, 1, 2, 1, 2) == [True, False, True, False, False]
        await settle()
        assert subscriber.offsets == [1, 2]
        assert feed.gaps == 0

    async def test_a_gap_is_filled_from_the_log_in_order(self) -> None:
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(5)
        feed.hear(1, 5)
        await until(lambda: subscriber.offsets == [1, 2, 3, 4, 5])
        assert feed.gaps == 1

    async def test_a_gap_longer_than_a_page_is_filled(self) -> None:
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(2 * module.PAGE + 3)
        feed.hear(2 * module.PAGE + 3)
        await until(lambda: len(subscriber.offsets) == 2 * module.PAGE + 3)
        assert subscriber.offsets == list(range(1, 2 * module.PAGE + 4))

    async def test_events_during_a_fill_come_after_it_without_holes_or_doubles(self) -> None:
        """Rule 3: they only raise the goal; the log has them all."""
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(3)
        feed.log.hold()
        feed.hear(3)
        await settle()
        feed.log.commit(3)
        feed.hear(4, 5, 1, 6)
        await settle()
        assert subscriber.offsets == [1]  # the next one, as it happens
        feed.log.let_go()
        await until(lambda: len(subscriber.offsets) == 6)
        assert subscriber.offsets == [1, 2, 3, 4, 5, 6]

    async def test_a_fill_waits_for_the_store_and_goes_on(self) -> None:
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(3)
        feed.log.away = True
        feed.hear(3)
        await until(lambda: len(feed.log.reads) > 3)
        feed.log.commit()
        feed.hear(4)
        assert subscriber.offsets == []
        feed.log.away = False
        await until(lambda: subscriber.offsets == [1, 2, 3, 4])
        assert not feed.filling

    async def test_a_fill_that_fails_unforeseen_is_begun_again_by_the_next_event(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A task without anybody who waits for it must not end in silence."""
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(3)

        async def broken(*_: object, **__: object) -> None:
            raise LookupError("no such table")

        with monkeypatch.context() as patch:
            patch.setattr(feed.log, "after", broken)
            feed.hear(3)
            await settle()
        assert not feed.filling
        feed.hear(3)
        await until(lambda: subscriber.offsets == [1, 2, 3])
        assert caplog.records == []


class TestComparing:
    """A lost last event leaves no gap: only the log's end tells of it."""

    async def test_a_lost_last_event_is_found(self) -> None:
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.commit(2)
        feed.it.compare(feed.head(), seen=feed.it.last)
        await until(lambda: subscriber.offsets == [1, 2])
        assert feed.gaps == 0

    @pytest.mark.parametrize("last", [0, 1, 2])
    async def test_a_head_at_or_behind_the_feed_changes_nothing(self, last: int) -> None:
        """It was read before the latest events came."""
        feed = await opened(stored=2)
        feed.it.compare(Head("e1", last), seen=last)
        assert not feed.filling
        assert feed.resets == 0

    async def test_a_log_that_ends_before_what_was_seen_was_restored_and_resets(self) -> None:
        feed = await opened(stored=2)
        feed.it.compare(Head("e1", 1), seen=2)
        assert feed.resets == 1

    async def test_a_head_of_another_epoch_resets(self) -> None:
        feed = await opened(stored=2)
        feed.it.compare(Head("e2", 2), seen=2)
        assert feed.resets == 1


class TestReset:
    """The log was reset or restored: offsets mean nothing any more, everybody starts again."""

    async def test_an_event_of_another_epoch_resets(self) -> None:
        feed = await opened(stored=2)
        subscriber, _ = await feed.join()
        assert not feed.it.on_message(message(3, epoch="e2"))
        await settle()
        assert feed.resets == 1
        assert subscriber.offsets == []

    async def test_so_does_a_gap_that_the_log_does_not_have(self) -> None:
        feed = await opened(stored=2)
        assert not feed.it.on_message(message(9))
        await until(lambda: feed.resets == 1)
        await until(lambda: not feed.filling)

    async def test_and_a_gap_that_the_log_has_in_another_epoch(self) -> None:
        feed = await opened()
        subscriber, _ = await feed.join()
        feed.log.reset("e2")
        feed.log.commit(3)
        feed.it.on_message(message(3))
        await until(lambda: feed.resets > 0)
        feed.it.close()
        await settle()
        assert subscriber.offsets == []

    async def test_and_a_hole_in_the_log_itself(self) -> None:
        """Reading it again would find the same hole, for ever."""
        feed = await opened(stored=2)
        feed.log.commit(5)
        del feed.log.rooms[ROOM][2]
        assert feed.hear(5) == [False]
        await until(lambda: feed.resets == 1)
        await until(lambda: not feed.filling)

    async def test_an_event_of_another_epoch_while_opening_resets_once_open(self) -> None:
        feed = Feed(FakeLog())
        feed.log.commit(2)
        feed.log.hold()
        opening = asyncio.create_task(feed.it.open())
        await settle()
        feed.it.on_message(message(1, epoch="e2"))
        feed.log.let_go()
        await opening
        assert feed.resets == 1


class TestClosing:
    async def test_a_fill_ends(self) -> None:
        feed = await opened()
        feed.log.commit(3)
        feed.log.hold()
        feed.hear(3)
        await settle()
        feed.it.close()
        await until(lambda: not feed.filling)

    async def test_who_is_joining_is_told_to_try_again(self) -> None:
        """It is the feed that ended, not the connection: no cancellation may reach it."""
        feed = await opened(stored=30)
        feed.log.hold()
        joining = asyncio.create_task(feed.join(at(0)))
        await settle()
        feed.it.close()
        with pytest.raises(StoreUnavailable):
            await joining

    async def test_so_is_who_waits_for_a_fill(self, monkeypatch: pytest.MonkeyPatch) -> None:
        feed = await opened(stored=3)
        feed.log.commit(4)

        async def for_ever(*_: object, **__: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(feed.log, "after", for_ever)
        joining = asyncio.create_task(feed.join(at(5)))
        await until(lambda: feed.filling)
        feed.it.close()
        with pytest.raises(StoreUnavailable):
            await joining

    async def test_a_late_comparison_starts_nothing(self) -> None:
        """The hub reads the heads of many rooms at once; one may have been closed meanwhile."""
        feed = await opened(stored=3)
        feed.it.close()
        feed.it.compare(Head("e1", 5), seen=0)
        assert not feed.filling


class TestActivity:
    """What passes by has no offset, and is never read again."""

    async def test_it_goes_to_its_own_audience_with_ids_of_its_own(self) -> None:
        feed = await opened()
        subscriber, _ = await feed.join()
        watcher = Subscriber()
        bodies: list[tuple[str, bytes]] = []

        class View:
            def encode(self, entry: Entry) -> bytes:
                bodies.append((entry.message_id, entry.body))
                return entry.body

            encode_for_one = encode

        feed.it.activity.add(View(), watcher.outbox)
        for user in ("alice", "bob"):
            feed.it.activity.push(Typing(room_id=ROOM, user=UserId(user)))
        await settle()
        assert subscriber.offsets == []
        assert bodies == [
            ("activity-1", b'{"type":"typing","roomId":"1","user":"alice"}'),
            ("activity-2", b'{"type":"typing","roomId":"1","user":"bob"}'),
        ]
        assert watcher.transport.written == [bodies[0][1] + bodies[1][1]]
