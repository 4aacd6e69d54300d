"""A push service that is slow, or hangs, takes nothing from the others: nor does the webhook."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest

from allibe_fanout_worker.push import pusher, shares
from allibe_fanout_worker.push.ways import Ways
from allibe_fanout_worker.push.webhook import Webhook
from allibe_fanout_worker.push.webpush import WebPush
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.push import PushReason
from allibe_services.outbound import OutboundClient, Rules, TimeLimits, outbound_client
from tests.support.push_service import PushService
from tests.support.pushing import BOB, SUBJECT, TEAM, PushWorld, until
from tests.support.webhook_receiver import WebhookReceiver

SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
TWO = RoomId("two")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pusher, "FINISH_SECONDS", 0.1)
    monkeypatch.setattr(shares, "PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(shares, "SPACING_SECONDS", 0.0)
    monkeypatch.setattr(shares, "TOGETHER_SECONDS", 0.01)


@pytest.fixture
async def hanging(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> AsyncIterator[PushService]:
    async with PushService.running(tls[0]) as service:
        service.hangs()
        yield service


@pytest.fixture
async def hasty(world: PushWorld, rules: Rules) -> AsyncIterator[OutboundClient]:
    """A client that waits for a second."""
    limits = TimeLimits(connect=1.0, total=1.0)
    async with outbound_client(rules, limits=limits) as client:
        world.ways = Ways(WebPush(client, world.key, SUBJECT), None)
        yield client


async def test_whose_service_answers_is_pushed_while_another_hangs(
    world: PushWorld, hanging: PushService
) -> None:
    """There are three times as many of the one that hangs as may be sent to at once."""
    others = [UserId(f"a-{number}") for number in range(3 * shares.PLACES)]
    await world.room(BOB, *others)
    for other in others:
        await world.store.pushes.subscribe(other, hanging.subscribe(world.key.public_key))
    await world.subscribe(BOB)
    async with world.worker():
        await world.say("hello")
        begun = asyncio.get_running_loop().time()
        assert await world.pushed(1) == ["alice: hello"]
        took = asyncio.get_running_loop().time() - begun
        await until(lambda: _asked(hanging, shares.PLACES))
    assert world.counted(PushReason.TIMED_OUT) == 0, took
    assert world.counted(PushReason.SERVICE_BUSY) >= shares.PLACES
    assert hanging.asked == shares.PLACES


async def _asked(service: PushService, times: int) -> bool:
    return service.asked >= times


async def test_a_service_that_hung_gets_all_that_was_put_off(
    world: PushWorld, hasty: OutboundClient, hanging: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was not tried while it hung is told all in one, as if it had been due later."""
    monkeypatch.setattr(shares, "HANGS_AFTER", 1)
    monkeypatch.setattr(shares, "PLACES", 1)
    others = [UserId(f"a-{number}") for number in range(4)]
    await world.room(*others)
    for other in others:
        await world.store.pushes.subscribe(other, hanging.subscribe(world.key.public_key))
    async with world.worker():
        await world.say("hello")
        await until(lambda: _counted(world, PushReason.SERVICE_BUSY, 12))
        await world.say("you")
        hanging.mood = hanging.take
        await until(lambda: _heard(hanging, 2 * len(others)))
    assert world.counted(PushReason.GAVE_UP) == 0
    assert 2 in [one.json["messages"] for one in hanging.pushed]


async def _counted(world: PushWorld, reason: PushReason, times: int) -> bool:
    return world.counted(reason) >= times


async def _heard(service: PushService, messages: int) -> bool:
    return sum(int(one.json["messages"]) for one in service.pushed) == messages


async def test_of_two_browsers_the_one_that_is_reached_hears_of_all_that_comes(
    world: PushWorld, hanging: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the room of which the other one's push still waits."""
    monkeypatch.setattr(shares, "PLACES", 1)
    blocker = UserId("a-blocker")
    await world.room(blocker)
    await world.room(BOB, room_id=TWO)
    for user in (blocker, BOB):
        await world.store.pushes.subscribe(user, hanging.subscribe(world.key.public_key))
    await world.subscribe(BOB)
    async with world.worker():
        await world.say("one")
        await until(lambda: _asked(hanging, 1))  # its one place is taken
        for said in ("two", "three"):
            await world.say(said, room=TWO)
            await until(lambda: _was_told(world, said))  # noqa: B023 - awaited in this round


async def _was_told(world: PushWorld, said: str) -> bool:
    return any(said in one.json["body"] for one in world.service.pushed)


async def test_a_webhook_that_hangs_keeps_no_browser_waiting_and_gets_all_in_order(
    world: PushWorld, hasty: OutboundClient, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """Of a user's two rooms, the second is shown in the browser while the first one waits."""
    await world.room(BOB)
    await world.room(BOB, room_id=TWO)
    await world.subscribe(BOB)
    async with WebhookReceiver.running(tls[0]) as receiver:
        receiver.secret = SECRET
        webhook = Webhook(hasty, str(receiver.url / "hook"), [SECRET])
        world.ways = Ways(WebPush(hasty, world.key, SUBJECT), webhook)
        receiver.answers(503, retry_after="2")
        async with world.worker():
            await world.say("first")
            await world.is_decided(BOB, PushReason.UNAVAILABLE)
            receiver.mood = receiver.take
            await world.say("second", room=TWO)
            assert await world.pushed(2) == ["alice: first", "alice: second"]
            assert receiver.taken == []
            await until(lambda: _taken(receiver, 2))
        assert [one["roomId"] for one in receiver.taken] == [TEAM, TWO]
        assert len(world.service.pushed) == 2
        assert world.counted(PushReason.IN_ORDER) >= 1


async def _taken(receiver: WebhookReceiver, count: int) -> bool:
    return len(receiver.taken) >= count
