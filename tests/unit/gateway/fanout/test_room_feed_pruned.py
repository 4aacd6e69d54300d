"""`fanout.room_feed` over a log whose beginning was deleted: no stream has a hole, and none hangs.

What is gone is gone: a client that was there is told, and goes on from what is left (I3, I5).
"""

import pytest

from allibe_gateway.fanout import room_feed as module
from allibe_gateway.fanout.room_feed import FeedLimits
from tests.support.until import until
from tests.unit.gateway.fakes import settle
from tests.unit.gateway.fanout.feeds import at, opened

pytestmark = pytest.mark.usefixtures("impatient")

NO_TAIL = FeedLimits(recovery_messages=500, tail_bytes=1)


@pytest.mark.parametrize("limits", [None, NO_TAIL], ids=["tail", "pages"])
async def test_who_comes_back_from_what_was_pruned_is_told_and_gets_what_comes(
    limits: FeedLimits | None,
) -> None:
    feed = await (opened(stored=300) if limits is None else opened(stored=300, limits=limits))
    feed.log.prune(100)

    told, joined = await feed.join(at(99))
    assert (joined.recovered, joined.position) == (False, at(300))
    feed.log.commit()
    feed.hear(301)
    await settle()
    assert told.offsets == [301]

    kept, joined = await feed.join(at(100))
    assert joined.recovered is True
    assert kept.offsets == list(range(101, 302))


async def test_so_is_who_comes_back_to_an_empty_log() -> None:
    feed = await opened(stored=30)
    feed.log.prune(30)
    subscriber, joined = await feed.join(at(10))
    assert (joined.recovered, joined.position) == (False, at(30))
    assert subscriber.offsets == []
    assert (await feed.join(at(30)))[1].recovered is True


async def test_what_the_tail_has_is_recovered_though_it_was_pruned() -> None:
    feed = await opened()
    feed.log.commit(5)
    feed.hear(1, 2, 3, 4, 5)
    feed.log.prune(5)
    subscriber, joined = await feed.join(at(2))
    assert joined.recovered is True
    assert subscriber.offsets == [3, 4, 5]


async def test_a_log_pruned_while_it_is_replayed_ends_the_replay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed = await opened(stored=2 * module.PAGE, limits=NO_TAIL)
    after = feed.log.after

    async def pruned_then(*args: object, **options: object) -> object:
        page = await after(*args, **options)  # type: ignore[arg-type]
        feed.log.prune(2 * module.PAGE - 20)
        return page

    monkeypatch.setattr(feed.log, "after", pruned_then)
    subscriber, joined = await feed.join(at(0))
    assert joined.recovered is False
    assert subscriber.offsets == list(range(1, module.PAGE + 1))


@pytest.mark.parametrize("pruned", [8, 10])
async def test_a_gap_that_was_pruned_resets_the_room_once(pruned: int) -> None:
    """Reading it again would find it as empty, for ever."""
    feed = await opened(stored=2)
    subscriber, _ = await feed.join()
    feed.log.commit(8)
    feed.log.prune(pruned)
    assert feed.hear(10) == [False]
    await until(lambda: feed.resets == 1)
    await until(lambda: not feed.filling)
    assert subscriber.offsets == []
    assert len(feed.log.reads) == 1
