"""`fanout.room_feed`: rule 4 of its docstring, recovery from every position."""

import asyncio

import pytest

from allibe_gateway.fanout.room_feed import FeedLimits, Joined
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.ids import Position, RoomId
from tests.support.until import until
from tests.unit.gateway.fakes import Subscriber, TextView, settle
from tests.unit.gateway.fanout.feeds import at, opened

pytestmark = pytest.mark.usefixtures("impatient")


async def stuck_in_a_replay() -> "tuple[Subscriber, asyncio.Task[Joined]]":
    """Return who has got the first of many pages, and takes no more of them; and its joining."""
    limits = FeedLimits(recovery_messages=500, tail_bytes=1024)
    feed = await opened(stored=500, limits=limits)
    subscriber = Subscriber(shed=10)
    subscriber.transport.stuck = True
    joining = asyncio.create_task(feed.it.join(TextView(), subscriber.outbox, at(0)))
    await until(lambda: bool(subscriber.offsets))
    return subscriber, joining


class TestJoining:
    """Rule 4: a subscriber joins between two entries, after what it asked for up to there."""

    async def test_without_since_it_gets_what_comes(self) -> None:
        feed = await opened(stored=2)
        subscriber, joined = await feed.join()
        feed.log.commit()
        feed.hear(3)
        await settle()
        assert subscriber.offsets == [3]
        assert joined.position == at(2)
        assert feed.log.reads == []

    async def test_at_the_end_there_is_nothing_to_recover(self) -> None:
        feed = await opened(stored=2)
        subscriber, joined = await feed.join(at(2))
        assert joined.recovered is True
        assert subscriber.offsets == []
        assert feed.log.reads == []

    async def test_what_the_tail_has_is_handed_over_without_a_read(self) -> None:
        feed = await opened(stored=2)
        feed.log.commit(3)
        feed.hear(3, 4, 5)
        subscriber, joined = await feed.join(at(3))
        assert joined.recovered is True
        assert joined.position == at(5)
        assert subscriber.offsets == [4, 5]
        assert feed.log.reads == []

    async def test_older_ones_are_read_once_for_all_who_come_back(self) -> None:
        """A reconnect storm costs the database per room, not per client (DESIGN §1.5)."""
        feed = await opened(stored=300)
        results = await asyncio.gather(*(feed.join(at(since)) for since in range(0, 300, 30)))
        for (subscriber, joined), since in zip(results, range(0, 300, 30), strict=True):
            assert joined.recovered is True
            assert subscriber.offsets == list(range(since + 1, 301))
        assert feed.log.reads == [("before", 301)]

        again, _ = await feed.join(at(5))
        assert again.offsets == list(range(6, 301))
        assert len(feed.log.reads) == 1

    async def test_what_no_tail_can_hold_is_read_page_by_page(self) -> None:
        """A tail that is full in bytes reaches back less far than clients may recover."""
        limits = FeedLimits(recovery_messages=500, tail_bytes=1024)
        feed = await opened(stored=500, limits=limits)
        subscriber, joined = await feed.join(at(0))
        assert joined.recovered is True
        assert subscriber.offsets == list(range(1, 501))

    async def test_pages_wait_until_the_connection_has_taken_them(self) -> None:
        """I7: a long replay waits in the database, not in the transport."""
        subscriber, joining = await stuck_in_a_replay()
        await settle()
        assert len(subscriber.offsets) < 5
        subscriber.transport.stuck = False
        subscriber.transport.unsent = 0
        await joining
        assert subscriber.offsets == list(range(1, 501))

    async def test_a_page_that_is_ahead_of_the_events_is_not_handed_over_twice(self) -> None:
        """The log may have entries whose events are still on their way (I3)."""
        limits = FeedLimits(recovery_messages=500, tail_bytes=1024)
        feed = await opened(stored=30, limits=limits)
        feed.log.commit(5)
        subscriber, joined = await feed.join(at(0))
        feed.hear(31, 32, 33, 34, 35)
        await settle()
        assert subscriber.offsets == list(range(1, 36))
        assert joined.recovered is True

    async def test_events_during_the_reads_follow_them(self) -> None:
        feed = await opened(stored=50)
        feed.log.hold()
        joining = asyncio.create_task(feed.join(at(10)))
        await settle()
        feed.log.commit(2)
        feed.hear(51, 52)
        await settle()
        feed.log.let_go()
        subscriber, joined = await joining
        assert joined.position == at(52)
        assert subscriber.offsets == list(range(11, 53))

    async def test_a_gap_that_is_being_filled_follows_too(self) -> None:
        feed = await opened(stored=10)
        feed.log.commit(5)
        feed.log.hold()
        feed.hear(15)
        subscriber, joined = await feed.join(at(10))
        assert joined.position == at(10)
        feed.log.let_go()
        await until(lambda: subscriber.offsets == [11, 12, 13, 14, 15])

    async def test_too_far_behind_is_told_and_gets_what_comes(self) -> None:
        feed = await opened(stored=11, limits=FeedLimits(recovery_messages=10, tail_bytes=1 << 20))
        subscriber, joined = await feed.join(at(0))
        assert joined.recovered is False
        assert joined.position == at(11)
        assert subscriber.offsets == []
        assert feed.log.reads == []

    async def test_the_longest_gap_is_recovered(self) -> None:
        feed = await opened(stored=11, limits=FeedLimits(recovery_messages=10, tail_bytes=1 << 20))
        subscriber, joined = await feed.join(at(1))
        assert joined.recovered is True
        assert subscriber.offsets == list(range(2, 12))

    @pytest.mark.parametrize(
        "since", [at(1, epoch="e0"), at(1, room=RoomId("2"))], ids=["epoch", "room"]
    )
    async def test_a_position_elsewhere_recovers_nothing(self, since: Position) -> None:
        feed = await opened(stored=3)
        subscriber, joined = await feed.join(since)
        assert joined.recovered is False
        assert joined.position == at(3)
        assert subscriber.offsets == []

    async def test_a_client_ahead_of_this_gateway_is_caught_up_with(self) -> None:
        """It was at another gateway, which had heard more."""
        feed = await opened(stored=3)
        feed.log.commit(4)
        subscriber, joined = await feed.join(at(5))
        assert joined.recovered is True
        assert joined.position == at(7)
        assert subscriber.offsets == [6, 7]

    async def test_a_client_ahead_of_the_log_recovers_nothing(self) -> None:
        """The database was restored from before, or the client makes it up."""
        feed = await opened(stored=3)
        subscriber, joined = await feed.join(at(9))
        assert joined.recovered is False
        assert joined.position == at(3)
        assert subscriber.offsets == []

    async def test_the_store_away_while_catching_up_is_told(self) -> None:
        feed = await opened(stored=3)
        feed.log.away = True
        with pytest.raises(StoreUnavailable):
            await feed.join(at(5))

    async def test_the_store_away_while_reading_is_told_and_nobody_joins(self) -> None:
        feed = await opened(stored=30)
        feed.log.away = True
        with pytest.raises(StoreUnavailable):
            await feed.join(at(0))
        assert len(feed.it.entries) == 0

    async def test_one_whose_connection_ends_during_the_replay_recovers_nothing(self) -> None:
        subscriber, joining = await stuck_in_a_replay()
        subscriber.outbox.close()
        joined = await joining
        assert joined.recovered is False
