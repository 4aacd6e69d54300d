"""A world in which messages become pushes: a real store and worker, and a push service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import CollectorRegistry

from allibe_fanout_worker.app import worker
from allibe_fanout_worker.push.pushing import Pushing
from allibe_fanout_worker.push.retries import RetryPolicy
from allibe_fanout_worker.push.ways import Ways
from allibe_fanout_worker.push.webpush import WebPush
from allibe_services.bus.base import Bus
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId, new_message_id
from allibe_services.contracts.messages import now
from allibe_services.contracts.push import PushReason
from allibe_services.outbound import OutboundClient
from allibe_services.presence.base import Lease, Presence
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.rates.rate import Rate
from allibe_services.runtime import Readiness, Tasks
from allibe_services.store.base import Store
from allibe_services.telemetry import PushMetrics, WorkerMetrics
from allibe_services.vapid import VapidKey
from allibe_services.workers.base import Workers
from allibe_services.workers.inprocess import InProcessWorkers
from tests.support.push_service import PushService

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
TEAM = RoomId("team")
SUBJECT = "mailto:ops@chat.example"
QUICK = RetryPolicy(tries=3, first=0.05, longest=0.1)


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 20.0) -> None:
    """Return once the condition holds; the deadline is for failures only."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is polled has no event
            await asyncio.sleep(0.02)


class PushWorld:
    """Store, bus and leases under one or more workers, and a push service for their pushes."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        service: PushService,
        client: OutboundClient,
        *,
        presence: Presence | None = None,
        workers: Workers | None = None,
    ) -> None:
        self.store, self.bus, self.service, self.client = store, bus, service, client
        self.presence = presence or InProcessPresence()
        self.workers = workers or InProcessWorkers()
        self.key = VapidKey.generate()
        self.registry = CollectorRegistry()
        self.metrics = PushMetrics(self.registry)
        self.delay = 0.3
        self.rate: Rate | None = None
        self.ways = Ways(WebPush(client, self.key, SUBJECT), None)

    @asynccontextmanager
    async def worker(self, *, pushes: bool = True) -> AsyncIterator[Tasks]:
        """Run a worker; its tasks are its own."""
        tasks = Tasks()
        how = Pushing(
            ways=self.ways,
            metrics=self.metrics,
            delay=timedelta(seconds=self.delay),
            rate=self.rate,
            policy=QUICK,
        )
        try:
            async with worker(
                bus=self.bus,
                store=self.store,
                presence=self.presence,
                workers=self.workers,
                metrics=WorkerMetrics(CollectorRegistry()),
                readiness=Readiness(),
                tasks=tasks,
                push=how if pushes else None,
            ):
                yield tasks
                assert not tasks.failed.done(), tasks.failed
        finally:
            await tasks.close()

    async def room(self, *others: UserId, room_id: RoomId = TEAM) -> None:
        """Make a room of alice's."""
        await self.store.rooms.create("Project Team", ALICE, members=others, room_id=room_id)

    async def subscribe(self, *users: UserId) -> None:
        """Give each a browser."""
        for user in users:
            await self.store.pushes.subscribe(user, self.service.subscribe(self.key.public_key))

    async def say(self, content: str, *, room: RoomId = TEAM, sender: UserId = ALICE) -> None:
        """Post to the bus, and return when it is stored."""
        command = PostMessage(
            message_id=new_message_id(),
            room_id=room,
            sender=sender,
            content=content,
            sent_at=now(),
        )
        async with asyncio.timeout(10):
            await self.bus.post(command)

    async def look(self, user: UserId, *rooms: RoomId) -> None:
        """Let a user be connected, with these rooms on the screen."""
        await self.presence.renew([Lease(f"connection-{user}", user, rooms)])

    async def decided(self, user: UserId) -> set[PushReason]:
        return {one.reason for one in await self.store.notifications.decisions(user)}

    async def is_decided(self, user: UserId, reason: PushReason) -> None:
        """Wait until this was decided of the user."""
        await until(lambda: self._is(user, reason))

    async def is_scheduled(self, user: UserId, *, up_to: int) -> None:
        """Wait until the room is accounted for up to that offset: the user has a push."""

        async def accounted() -> bool:
            stored = (await self.store.log.heads([TEAM]))[TEAM].last_offset
            return stored == up_to and await self.store.push_queue.page(TEAM, most=1) is None

        await until(accounted)
        assert PushReason.SCHEDULED in await self.decided(user)

    async def pushed(self, count: int) -> list[str]:
        """Return the bodies of what was pushed, once there are so many."""

        async def enough() -> bool:
            return len(self.service.pushed) >= count

        await until(enough)
        assert self.service.problems == []
        return [one.json["body"] for one in self.service.pushed]

    async def heard_of(self, messages: int) -> bool:
        """Tell whether what was pushed adds up to so many messages."""
        return sum(int(one.json["messages"]) for one in self.service.pushed) == messages

    def counted(self, reason: PushReason) -> float:
        name = "allibe_push_decisions_total"
        return self.registry.get_sample_value(name, {"reason": reason}) or 0.0

    async def _is(self, user: UserId, reason: PushReason) -> bool:
        return reason in await self.decided(user)
