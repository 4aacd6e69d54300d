"""A hub over a bus and a log that the test controls, and sessions as it sees them."""

from prometheus_client import CollectorRegistry

from allibe_gateway.fanout.hub import Hub
from allibe_services.contracts.events import UserEvent
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.telemetry import GatewayMetrics
from tests.unit.gateway.fakes import ROOM, FakeBus, FakeLog, Subscriber, TextView
from tests.unit.gateway.fanout.feeds import LIMITS

ALICE, BOB = UserId("alice"), UserId("bob")
OTHER = RoomId("2")
VIEW = TextView()


class Listener:
    """A session, as the hub sees it."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.events: list[UserEvent] = []
        self.resets: list[RoomId] = []
        self.revocations = 0

    def on_user_event(self, event: UserEvent) -> None:
        self.events.append(event)
        if self.broken:
            raise LookupError

    def on_log_reset(self, room_id: RoomId) -> None:
        self.resets.append(room_id)
        if self.broken:
            raise LookupError

    def on_revocations(self) -> None:
        self.revocations += 1

    def rooms(self) -> set[RoomId]:
        return set()


class World:
    """A hub over a bus and a log that the test controls."""

    def __init__(self) -> None:
        self.bus = FakeBus()
        self.log = FakeLog()
        self.log.rooms[OTHER] = []
        self.registry = CollectorRegistry()
        self.hub = Hub(self.bus, self.log, LIMITS, GatewayMetrics(self.registry))

    def figure(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"allibe_gateway_{name}")

    async def join(self, room: RoomId = ROOM, subscriber: Subscriber | None = None) -> Subscriber:
        subscriber = subscriber or Subscriber()
        await self.hub.join(room, VIEW, subscriber.outbox, None)
        return subscriber
