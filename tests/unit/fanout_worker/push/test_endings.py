"""`push.endings`: ends are kept together, and tried again while the store is away."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from allibe_fanout_worker.push import endings
from allibe_fanout_worker.push.endings import Endings
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.push_queue import PushEnd
from tests.support.no_pushes import NoPushQueue


class Queue(NoPushQueue):
    """Keeps batches; `failures` of the next calls fail."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.failures = 0
        self.newer_at = now()

    async def end(self, ends: Sequence[PushEnd], *, newer_at: datetime) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable
        self.batches.append([one.user for one in ends])
        self.newer_at = newer_at


def ending(name: str) -> PushEnd:
    return PushEnd(user=UserId(name), claim="c")


async def test_what_ends_while_others_are_kept_is_kept_in_one() -> None:
    queue = Queue()
    kept = Endings(queue, timedelta(seconds=5))
    await asyncio.gather(*(kept.keep(ending(name)) for name in "abcd"))
    assert queue.batches == [["a", "b", "c", "d"]]
    assert timedelta(seconds=4) < queue.newer_at - now() <= timedelta(seconds=5)


async def test_it_is_tried_until_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "PAUSE_SECONDS", 0.0)
    queue = Queue()
    queue.failures = 3
    await Endings(queue, timedelta(0)).keep(ending("a"))
    assert queue.batches == [["a"]]


async def test_it_is_given_up_when_the_claim_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "PAUSE_SECONDS", 0.0)
    queue = Queue()
    queue.failures = endings.TRIES
    kept = Endings(queue, timedelta(0))
    await kept.keep(ending("a"))
    await kept.keep(ending("b"))
    assert queue.batches == [["b"]]


async def test_what_was_sent_is_kept_without_waiting_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its place is another's only then: 10,000 pushes would take half as long again."""
    monkeypatch.setattr(endings, "GATHER_SECONDS", 3600.0)
    queue = Queue()
    async with asyncio.timeout(10):
        await Endings(queue, timedelta(0)).keep(PushEnd(user=UserId("a"), claim="c", free_at=now()))
    assert queue.batches == [["a"]]
