"""Several workers over one PostgreSQL: every message is told of once to each member."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from allibe_fanout_worker import sharing
from allibe_fanout_worker.push import pusher
from allibe_fanout_worker.push.base import Delivered, Failed, Outcome, Push
from allibe_fanout_worker.push.ways import Ways
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.push import PushReason
from allibe_services.outbound import OutboundClient
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from tests.support.push_service import PushService
from tests.support.pushing import ALICE, PushWorld, until

ROOMS = [RoomId(f"room-{number}") for number in range(6)]
MEMBERS = [UserId(f"member-{number}") for number in range(25)]
MESSAGES = 8


class Fickle:
    """A webhook that fails now and then, each push once, and adds up what it was told of."""

    service = "https://hook.test"

    def __init__(self) -> None:
        self.told: Counter[tuple[UserId, RoomId]] = Counter()
        self.under_way: Counter[UserId] = Counter()
        self.most_under_way = 0
        self._tries = 0
        self._failed: set[str] = set()

    async def send(self, push: Push) -> Outcome:
        self._tries += 1
        self.under_way[push.user] += 1
        self.most_under_way = max(self.most_under_way, self.under_way[push.user])
        await asyncio.sleep(0.002)
        self.under_way[push.user] -= 1
        if self._tries % 7 == 0 and push.push_id not in self._failed:
            self._failed.add(push.push_id)
            return Failed(retryable=True, reason=PushReason.UNAVAILABLE)
        self.told[push.user, push.room_id] += push.messages
        return Delivered()


@pytest.fixture
async def shared(
    postgres_with_tables: str, service: PushService, client: OutboundClient, quickly: None
) -> AsyncIterator[PushWorld]:
    store, bus = SqlStore(PostgresqlDatabase(postgres_with_tables)), InProcessBus()
    yield PushWorld(store, bus, service, client)
    await bus.close()
    await store.close()


async def test_every_message_is_told_of_once_to_each_member(
    shared: PushWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "HEIR_SECONDS", 0.1)
    monkeypatch.setattr(pusher, "NEWER", timedelta(seconds=0.05))
    shared.delay = 0.05
    webhook = Fickle()
    shared.ways = Ways(None, webhook)
    for room_id in ROOMS:
        await shared.room(*MEMBERS, room_id=room_id)
    wanted = {(user, room_id): MESSAGES for user in MEMBERS for room_id in ROOMS}

    async def all_is_told() -> bool:
        return all(webhook.told[key] >= MESSAGES for key in wanted)

    async with shared.worker(), shared.worker(), shared.worker():
        for number in range(MESSAGES):
            await asyncio.gather(*(shared.say(f"{number}", room=one) for one in ROOMS))
            await asyncio.sleep(0.1)
        await until(all_is_told, seconds=40)
        await asyncio.sleep(0.5)
    assert webhook.told == wanted
    assert webhook.most_under_way == 1
    assert await shared.decided(ALICE) == {PushReason.OWN}
