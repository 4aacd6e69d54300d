"""A room of 10,000 members: everybody is accounted for, once, and chat does not wait."""

import asyncio
from collections import Counter

import pytest

from allibe_fanout_worker.push import scheduler
from allibe_fanout_worker.push.base import Delivered, Outcome, Push
from allibe_fanout_worker.push.ways import Ways
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.push import PushReason
from tests.support.pushing import ALICE, TEAM, PushWorld, until

MEMBERS = 10_000
LOOKING = 50


class Everybody:
    """A webhook that takes everything, and knows of whom."""

    service = "https://hook.test"

    def __init__(self) -> None:
        self.told: Counter[UserId] = Counter()

    async def send(self, push: Push) -> Outcome:
        self.told[push.user] += 1
        await asyncio.sleep(0.001)
        return Delivered()


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_every_member_is_accounted_for_once_also_if_the_worker_is_replaced(
    world: PushWorld,
) -> None:
    everybody = Everybody()
    world.ways = Ways(None, everybody)
    others = [UserId(f"member-{number:05}") for number in range(MEMBERS - 1)]
    await world.room(*others)
    looking, muted = others[:LOOKING], others[-LOOKING:]
    for user in looking:
        await world.look(user, TEAM)
    for user in muted:
        await world.store.notifications.mute(user, TEAM, None)

    async def has_begun() -> bool:
        return world.counted(PushReason.SCHEDULED) > 1000

    async def has_ended() -> bool:
        return await world.store.push_queue.page(TEAM, most=1) is None

    async with world.worker():
        await world.say("hello")
        await until(has_begun)
    assert not await has_ended()
    async with world.worker():
        await until(has_ended, seconds=120)
        reached = MEMBERS - 1 - 2 * LOOKING
        await until(lambda: _told(everybody, reached), seconds=240)
        await asyncio.sleep(1)
    assert set(everybody.told) == set(others) - set(looking) - set(muted)
    assert set(everybody.told.values()) == {1}
    for reason, wanted in (
        (PushReason.OWN, 1),
        (PushReason.LOOKING, LOOKING),
        (PushReason.MUTED, LOOKING),
        (PushReason.SCHEDULED, reached),
    ):
        # The first worker may have ended between keeping a page and counting it.
        assert wanted - scheduler.PAGE <= world.counted(reason) <= wanted
    print(f"scheduled {world.counted(PushReason.SCHEDULED)} of {reached}")
    assert await world.decided(ALICE) == {PushReason.OWN}


async def _told(everybody: Everybody, count: int) -> bool:
    return len(everybody.told) >= count
