"""A worker that pushes to a webhook: everybody is reached, each user's pushes in order."""

import base64
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from allibe_fanout_worker.push import pusher
from allibe_fanout_worker.push.ways import Ways
from allibe_fanout_worker.push.webhook import Webhook
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.push import PushReason
from allibe_services.outbound import OutboundClient
from tests.support.pushing import BOB, CAROL, TEAM, PushWorld, until
from tests.support.webhook_receiver import WebhookReceiver

SECRET = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
async def receiver(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], world: PushWorld, client: OutboundClient
) -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver.running(tls[0]) as receiver:
        receiver.secret = SECRET
        world.ways = Ways(None, Webhook(client, str(receiver.url / "hook"), [SECRET]))
        yield receiver


async def taken(receiver: WebhookReceiver, count: int) -> list[tuple[str, str]]:
    """Return user and room of what came, once there is so much."""

    async def enough() -> bool:
        return len(receiver.taken) >= count

    await until(enough)
    assert receiver.problems == []
    return [(one["user"], one["roomId"]) for one in receiver.taken]


async def test_everybody_is_reached_once(world: PushWorld, receiver: WebhookReceiver) -> None:
    await world.room(BOB, CAROL)
    async with world.worker():
        await world.say("hello")
        assert sorted(await taken(receiver, 2)) == [(BOB, TEAM), (CAROL, TEAM)]
        await world.is_decided(BOB, PushReason.SENT)
    assert receiver.taken[0]["body"] == "alice: hello"
    assert len(set(receiver.ids)) == 2


async def test_what_waits_for_another_try_holds_the_users_others_back_and_nobody_elses(
    world: PushWorld, receiver: WebhookReceiver
) -> None:
    two = RoomId("two")
    await world.room(BOB)
    await world.room(BOB, CAROL, room_id=two)
    receiver.answers(503, retry_after="1")
    async with world.worker():
        await world.say("first")
        await world.is_decided(BOB, PushReason.UNAVAILABLE)
        receiver.mood = receiver.take
        await world.say("second", room=two)
        assert await taken(receiver, 3) == [(CAROL, two), (BOB, TEAM), (BOB, two)]


@pytest.mark.parametrize("further", [0, 1])
async def test_what_is_sent_again_has_its_id_again_only_if_it_tells_the_same(
    world: PushWorld, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch, further: int
) -> None:
    """A worker dies before it has kept what it sent; its heir's push tells of what came since, too.

    Under an id that the receiver has taken, nobody would hear of that.
    """
    monkeypatch.setattr(pusher, "CLAIM", timedelta(seconds=1))
    monkeypatch.setattr(pusher, "FINISH_SECONDS", 0.0)
    await world.room(BOB)

    async def take_and_hang(request: web.Request) -> web.StreamResponse:
        await receiver.take(request)
        await receiver.ended.wait()
        return web.Response(status=503)

    receiver.mood = take_and_hang
    async with world.worker():
        await world.say("first")
        await taken(receiver, 1)
    receiver.mood = receiver.take
    async with world.worker(pushes=False):
        for _ in range(further):
            await world.say("second")
    async with world.worker():
        await taken(receiver, 2)
        await world.is_decided(BOB, PushReason.SENT)
    assert [one["messages"] for one in receiver.taken] == [1, 1 + further]
    assert len(set(receiver.ids)) == 1 + further
    assert receiver.ids == [one["pushId"] for one in receiver.taken]
