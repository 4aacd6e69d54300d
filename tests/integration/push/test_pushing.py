"""From a message to what a browser decrypts: a worker, a store, and a push service."""

import asyncio
from collections.abc import Collection
from datetime import timedelta

import pytest
from aiohttp import web

from allibe_fanout_worker import sharing
from allibe_fanout_worker.push import pusher, scheduler
from allibe_fanout_worker.push.base import topic_of
from allibe_services.contracts.errors import LeasesUnavailable
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.notifications import QuietHours
from allibe_services.contracts.push import PushReason
from allibe_services.presence.base import Screens
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.rates.rate import Rate
from tests.support.push_queue import decide_all
from tests.support.pushing import ALICE, BOB, CAROL, TEAM, PushWorld, until

ALWAYS = QuietHours(1, 0, "UTC"), QuietHours(721, 720, "UTC")
"""All of a day but one minute: of the two, one is in force whatever the time."""


def quiet_now() -> QuietHours:
    return next(hours for hours in ALWAYS if hours.end_of(now() + timedelta(minutes=2)))


async def test_a_message_becomes_a_push_that_the_browser_can_read(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(ALICE, BOB)
    async with world.worker():
        await world.say("hello")
        assert await world.pushed(1) == ["alice: hello"]
        await world.is_decided(BOB, PushReason.SENT)
    (one,) = world.service.pushed
    assert one.json == {
        "type": "notification",
        "roomId": TEAM,
        "offset": 1,
        "title": "Project Team",
        "body": "alice: hello",
        "messages": 1,
        "unreadCount": 1,
    }
    assert one.headers["topic"] == topic_of(TEAM)
    assert 0 < int(one.headers["ttl"]) <= 24 * 3600
    assert await world.decided(ALICE) == {PushReason.OWN}
    assert await world.decided(BOB) == {PushReason.SCHEDULED, PushReason.SENT}
    assert world.counted(PushReason.SENT) == 1


async def test_who_does_not_want_it_or_has_no_browser_gets_none(world: PushWorld) -> None:
    await world.room(BOB, CAROL)
    await world.subscribe(BOB)
    await world.store.notifications.mute(BOB, TEAM, None)
    async with world.worker():
        await world.say("hello")
        await world.is_decided(BOB, PushReason.MUTED)
        await world.is_decided(CAROL, PushReason.NO_SUBSCRIPTION)
    assert world.service.asked == 0


async def test_who_looks_gets_none_and_who_is_elsewhere_gets_it_later(world: PushWorld) -> None:
    await world.room(BOB, CAROL)
    await world.subscribe(BOB, CAROL)
    await world.look(BOB, TEAM)
    await world.look(CAROL)
    world.delay = 1.0
    async with world.worker():
        await world.say("hello")
        said = now()
        await world.pushed(1)
        assert now() - said > timedelta(seconds=0.9)
        assert world.service.pushed[0].subscription == "browser-1"
        assert await world.decided(BOB) == {PushReason.LOOKING}


async def test_who_comes_to_look_in_time_gets_none(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB)
    await world.look(BOB)
    async with world.worker():
        await world.say("hello")
        await world.is_decided(BOB, PushReason.SCHEDULED)
        await world.look(BOB, TEAM)
        await world.is_decided(BOB, PushReason.LOOKING)
    assert world.service.asked == 0


async def test_several_messages_become_one_push(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB)
    await world.look(BOB)
    async with world.worker():
        for number in range(3):
            await world.say(f"message {number}")
        assert await world.pushed(1) == ["3 new messages in Project Team"]
        await world.is_decided(BOB, PushReason.SENT)
        await world.say("another")
        assert (await world.pushed(2))[1:] == ["alice: another"]
        assert world.service.pushed[1].json["unreadCount"] == 4


async def test_quiet_hours_put_it_off_until_they_end_or_are_changed(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB)
    await world.store.notifications.change_settings(BOB, quiet_hours=quiet_now())
    async with world.worker():
        await world.say("hello")
        await world.is_decided(BOB, PushReason.QUIET_HOURS)
        assert world.service.asked == 0


async def test_the_rate_of_a_user_makes_further_ones_wait_and_become_one(
    world: PushWorld,
) -> None:
    world.rate = Rate(per_second=1.0, burst=1)
    await world.room(BOB)
    await world.subscribe(BOB)
    async with world.worker():
        await world.say("one")
        await world.pushed(1)
        await world.is_decided(BOB, PushReason.SENT)
        await world.say("two")
        await world.is_decided(BOB, PushReason.RATE_LIMITED)
        await world.say("three")
        assert (await world.pushed(2))[1:] == ["2 new messages in Project Team"]


async def test_what_fails_is_tried_again_and_only_where_it_failed(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB, BOB)
    broken = await world.store.pushes.subscriptions(BOB)
    take, failures = world.service.take, 0

    async def mood(request):  # type: ignore[no-untyped-def]
        nonlocal failures
        if request.path in broken[0].endpoint and failures < 1:
            failures += 1
            world.service.answers(503)
            answer = await world.service.mood(request)
            world.service.mood = mood
            return answer
        return await take(request)

    world.service.mood = mood
    async with world.worker():
        await world.say("hello")
        await world.pushed(2)
        await world.is_decided(BOB, PushReason.UNAVAILABLE)
        await asyncio.sleep(0.3)
    assert sorted(one.subscription for one in world.service.pushed) == ["browser-0", "browser-1"]
    assert world.service.asked == 3


async def test_after_too_many_tries_it_is_given_up(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB)
    world.service.answers(500)
    async with world.worker():
        await world.say("hello")
        await world.is_decided(BOB, PushReason.GAVE_UP)
        await asyncio.sleep(0.3)
    assert world.service.asked == 3
    assert world.counted(PushReason.GAVE_UP) == 1
    assert world.counted(PushReason.UNAVAILABLE) == 3
    (dead,) = await world.store.notifications.dead(most=9)
    assert (dead.user, dead.room_id, dead.offset, dead.tries) == (BOB, TEAM, 1, 3)
    assert (dead.reason, dead.last) == (PushReason.GAVE_UP, PushReason.UNAVAILABLE)
    assert dead.service == str(world.service.url.origin())
    counted = {"reason": "gave_up", "last": "unavailable"}
    assert world.registry.get_sample_value("allibe_push_dead_total", counted) == 1


async def test_how_late_pushes_are_is_a_figure(
    world: PushWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[float] = []
    monkeypatch.setattr(world.metrics.late, "set", shown.append)
    await world.room(BOB)
    await world.subscribe(BOB)
    async with world.worker(pushes=False):
        await world.say("hello")
    await decide_all(world.store, TEAM, due_at={BOB: now() - timedelta(seconds=90)})
    async with world.worker():
        await world.pushed(1)
    assert any(90 <= seconds < 600 for seconds in shown)


async def test_what_waited_for_too_long_is_dead(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB)
    async with world.worker(pushes=False):
        await world.say("hello")
    await decide_all(world.store, TEAM, due_at={BOB: now()}, expires_at=now())
    async with world.worker():
        await world.is_decided(BOB, PushReason.EXPIRED)
    (dead,) = await world.store.notifications.dead(most=9)
    assert (dead.reason, dead.way, dead.service) == (PushReason.EXPIRED, "", "")
    assert world.service.asked == 0


async def test_what_the_push_service_has_forgotten_is_forgotten(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB)
    (gone,) = await world.store.pushes.subscriptions(BOB)
    world.service.unsubscribe(gone)
    async with world.worker():
        await world.say("hello")
        await world.is_decided(BOB, PushReason.GONE)
        assert await world.store.pushes.subscriptions(BOB) == []
        await world.say("again")
        await world.is_decided(BOB, PushReason.NO_SUBSCRIPTION)


async def test_what_was_read_just_before_it_fires_is_never_pushed(world: PushWorld) -> None:
    """The race, many times: most markers move in the last 400 ms before the push is due.

    The earliest a second before: some are in time on a busy machine, too.
    """
    readers = [UserId(f"reader-{number}") for number in range(60)]
    await world.room(*readers)
    await world.subscribe(*readers)
    for reader in readers:
        await world.look(reader)
    world.delay = 1.5
    in_time: set[UserId] = set()

    async def read(reader: UserId, at: float) -> None:
        await asyncio.sleep(at)
        await world.store.members.mark_read(TEAM, reader, 1)
        if asyncio.get_running_loop().time() < said + world.delay:  # the earliest it can be due
            in_time.add(reader)

    async with world.worker():
        said = asyncio.get_running_loop().time()
        await world.say("hello")
        await asyncio.gather(
            *(read(one, world.delay - (n / 60) ** 2) for n, one in enumerate(readers))
        )
        for reader in readers:
            await until(lambda: _is_over(world, reader))  # noqa: B023 - awaited in this round
    told = {readers[int(one.subscription.partition("-")[2])] for one in world.service.pushed}
    assert len(in_time) > 5
    assert told & in_time == set()


async def _is_over(world: PushWorld, user: UserId) -> bool:
    return bool(await world.decided(user) & {PushReason.SENT, PushReason.READ})


async def test_without_ways_nothing_is_scheduled(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB)
    async with world.worker(pushes=False):
        await world.say("hello")
    assert await world.decided(BOB) == set()
    assert await world.store.push_queue.page(TEAM, most=10) is not None


async def test_a_worker_that_dies_before_scheduling_is_made_up_for(world: PushWorld) -> None:
    await world.room(BOB)
    await world.subscribe(BOB)
    async with world.worker(pushes=False):
        await world.say("hello")
    async with world.worker():
        assert await world.pushed(1) == ["alice: hello"]
        await world.is_decided(BOB, PushReason.SENT)
        await asyncio.sleep(0.5)
    assert world.service.asked == 1


async def test_while_it_is_unknown_who_looks_nothing_is_lost_and_nobody_is_pushed(
    world: PushWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when the room has news, nor when the push is due."""
    monkeypatch.setattr(scheduler, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(pusher, "RETRY", timedelta(seconds=0.1))
    presence = Away()
    world.presence = presence
    await world.room(BOB)
    await world.subscribe(BOB)
    async with world.worker():
        await world.look(BOB)
        presence.is_away = True
        await world.say("hello")
        await asyncio.sleep(0.3)
        assert await world.decided(BOB) == set()
        presence.is_away = False
        await world.is_decided(BOB, PushReason.SCHEDULED)
        presence.is_away = True
        await asyncio.sleep(world.delay + 0.5)
        assert world.service.asked == 0
        presence.is_away = False
        assert await world.pushed(1) == ["alice: hello"]


class Away(InProcessPresence):
    """Presence that may be away."""

    is_away = False

    async def screens(self, users: Collection[UserId]) -> Screens:
        if self.is_away:
            raise LeasesUnavailable
        return await super().screens(users)


async def test_a_worker_that_dies_while_it_sends_is_taken_over_when_its_claim_ends(
    world: PushWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the push arrived nobody knows: it comes again, in the place of the first."""
    monkeypatch.setattr(pusher, "CLAIM", timedelta(seconds=1))
    monkeypatch.setattr(pusher, "FINISH_SECONDS", 0.0)
    await world.room(BOB)
    await world.subscribe(BOB)
    take = world.service.take

    async def take_and_hang(request: web.Request) -> web.StreamResponse:
        await take(request)
        await world.service.ended.wait()
        return web.Response(status=503)

    world.service.mood = take_and_hang
    async with world.worker():
        await world.say("hello")
        await world.pushed(1)
    world.service.mood = take
    async with world.worker():
        await world.pushed(2)
        await world.is_decided(BOB, PushReason.SENT)
    first, again = world.service.pushed
    assert first.json == again.json
    assert first.headers["topic"] == again.headers["topic"]


async def test_several_workers_push_once(world: PushWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "HEIR_SECONDS", 0.1)
    await world.room(BOB)
    await world.subscribe(BOB)
    async with world.worker(), world.worker(), world.worker():
        for number in range(1, 6):
            await world.say(f"message {number}")
            await until(lambda: world.heard_of(number))  # noqa: B023 - awaited in this round
        await asyncio.sleep(0.5)
    assert await world.heard_of(5)
