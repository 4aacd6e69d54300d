"""Users of a session, as unit tests drive them: each with a door and an outbox."""

import asyncio

import msgspec

from allibe_gateway.fanout.room_feed import Joined
from allibe_gateway.limits import Limits
from allibe_gateway.session import Session
from allibe_gateway.subscriptions import RoomSubscription, Stream
from allibe_services.bus.base import Posted
from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.events import UserEvent
from allibe_services.contracts.ids import Position, RoomId
from tests.unit.gateway.fakes import ROOM, Subscriber, TextView
from tests.unit.gateway.world import World

PATIENT = Limits(subscriptions=3, in_flight=2, sign_in_seconds=10)
IMPATIENT = msgspec.structs.replace(PATIENT, subscribe_seconds=0.02, receipt_seconds=0.02)


VIEW = TextView()


class Door:
    """The session's owner: keeps what it is told."""

    def __init__(self) -> None:
        self.failed: list[AllibeError] = []
        self.events: list[UserEvent] = []
        self.revoked: list[str] = []
        self.resets = 0

    def fail(self, error: AllibeError) -> None:
        self.failed.append(error)

    def on_event(self, event: UserEvent) -> None:
        self.events.append(event)

    def on_revoked(self, subscription: RoomSubscription) -> None:
        self.revoked.append(subscription.id)

    def on_log_reset(self) -> None:
        self.resets += 1


class User:
    """A session with its door and its outbox."""

    def __init__(self, world: World, connection_id: str = "c1") -> None:
        self.world = world
        self.door = Door()
        self.subscriber = Subscriber()
        self.session = Session(connection_id, world.shared, self.subscriber.outbox, self.door)

    async def subscribe(
        self,
        subscription_id: str = "s1",
        room: RoomId = ROOM,
        stream: Stream = "log",
        since: Position | None = None,
    ) -> Joined | None:
        return await self.session.subscribe(
            RoomSubscription(subscription_id, room, stream, VIEW), since
        )

    async def post(self, content: str = "hello") -> "asyncio.Future[Stored | None]":
        await self.session.post(ROOM, content, settled=ignored)
        return self.world.bus.posted[-1][1]


def ignored(_command: PostMessage, _future: Posted) -> None:
    """Hear what became of a message, and do nothing."""
