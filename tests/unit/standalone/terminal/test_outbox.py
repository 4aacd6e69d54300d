"""`terminal.outbox`: a line stays until it is known to be stored."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from allibe_gateway.stomp import Frame
from allibe_standalone.terminal.endings import Backoff
from allibe_standalone.terminal.link import SoftError
from allibe_standalone.terminal.outbox import Outbox
from tests.unit.standalone.terminal.fakes import FakeLink

FAILED = SoftError("store_unavailable", "Not now.", retryable=True)
REJECTED = SoftError("rejected", "Never.")


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "next", lambda *_: 0.0)


@pytest.fixture
async def outbox() -> AsyncIterator[Outbox]:
    """An outbox that runs; what it says and its status go nowhere."""
    made = Outbox("1", say=lambda _: None, status=lambda _: None)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


def _connect(outbox: Outbox) -> FakeLink:
    link = FakeLink()
    link.ready = True
    outbox.link = link
    return link


def _contents(lines: list[Frame]) -> list[str]:
    return [msgspec.json.decode(line.body)["content"] for line in lines]


async def test_each_line_is_sent_once_and_in_order(outbox: Outbox) -> None:
    link = _connect(outbox)
    for line in ("one", "two", "three"):
        await outbox.post(line)
    assert _contents(await link.lines(3)) == ["one", "two", "three"]
    await asyncio.sleep(0.01)
    assert len(await link.lines(3)) == 3
    assert outbox.waiting == 3


async def test_after_a_loss_what_has_no_receipt_is_sent_again_under_the_same_id(
    outbox: Outbox,
) -> None:
    first = _connect(outbox)
    for line in ("one", "two", "three"):
        await outbox.post(line)
    lines = await first.lines(3)
    outbox.confirm(lines[1].headers["receipt"])
    assert await _connect(outbox).lines(2) == [lines[0], lines[2]]


async def test_ids_differ_also_for_equal_lines(outbox: Outbox) -> None:
    link = _connect(outbox)
    await outbox.post("same")
    await outbox.post("same")
    one, other = await link.lines(2)
    assert one.headers["receipt"] != other.headers["receipt"]


async def test_a_receipt_ends_the_wait_and_the_message_coming_back_does_too(
    outbox: Outbox,
) -> None:
    link = _connect(outbox)
    await outbox.post("receipted")
    await outbox.post("seen")
    receipted, seen = await link.lines(2)
    outbox.confirm(receipted.headers["receipt"])
    outbox.seen(seen.headers["receipt"])
    assert outbox.waiting == 0
    again = _connect(outbox)
    await asyncio.sleep(0.01)
    assert again.sent == []


async def test_the_end_waits_for_what_has_a_receipt_until_it_comes_back(outbox: Outbox) -> None:
    link = _connect(outbox)
    await outbox.post("one")
    (line,) = await link.lines(1)
    outbox.confirm(line.headers["receipt"])
    settling = asyncio.create_task(outbox.settled(5, seen_seconds=5, live=True))
    await asyncio.sleep(0.01)
    assert not settling.done()
    outbox.seen(line.headers["receipt"])
    await asyncio.wait_for(settling, 1)


async def test_after_a_gap_the_end_waits_for_nothing_to_come_back(outbox: Outbox) -> None:
    link = _connect(outbox)
    await outbox.post("one")
    (line,) = await link.lines(1)
    outbox.confirm(line.headers["receipt"])
    outbox.expect_none()
    await asyncio.wait_for(outbox.settled(5, seen_seconds=5, live=True), 1)


async def test_a_refused_line_is_gone_and_a_failed_one_is_sent_again(outbox: Outbox) -> None:
    link = _connect(outbox)
    await outbox.post("refused")
    await outbox.post("failed")
    refused, failed = await link.lines(2)
    assert not outbox.refused(refused.headers["receipt"], REJECTED)
    assert outbox.refused(failed.headers["receipt"], FAILED)
    assert (await link.lines(3))[2] == failed
    assert outbox.waiting == 1


async def test_receipts_and_messages_of_others_change_nothing(outbox: Outbox) -> None:
    link = _connect(outbox)
    await outbox.post("one")
    await link.lines(1)
    outbox.confirm("nobody's")
    outbox.seen("nobody's")
    outbox.seen(None)
    assert not outbox.refused("nobody's", REJECTED)
    assert not outbox.refused("nobody's", FAILED)
    assert outbox.waiting == 1


async def test_the_status_tells_of_lines_that_wait_for_a_connection() -> None:
    said: list[str] = []
    outbox = Outbox("1", say=lambda _: None, status=said.append)
    await outbox.post("one")
    assert said[-1] == "offline, 1 waiting"
    _connect(outbox)
    assert said[-1] == ""


async def test_one_failure_is_told_once_until_all_is_sent() -> None:
    """Somebody over a limit meets it again each second until the last line is through."""
    told: list[str] = []
    outbox = Outbox("1", say=told.append, status=lambda _: None)
    running = asyncio.create_task(outbox.run())
    link, total = _connect(outbox), 0
    for _ in range(2):
        await outbox.post("hello")
        for _ in range(3):
            total += 1
            line = (await link.lines(total))[-1]
            assert outbox.refused(line.headers["receipt"], FAILED)
        total += 1
        outbox.confirm((await link.lines(total))[-1].headers["receipt"])
    assert told == ["Not stored yet: Not now. Trying again."] * 2
    running.cancel()
