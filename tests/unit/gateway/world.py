"""All that a gateway's connections share, over fakes; time is the test's."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import jwt
from prometheus_client import CollectorRegistry

from allibe_gateway.deadlines import Deadlines
from allibe_gateway.fanout.hub import Hub
from allibe_gateway.limits import Limits
from allibe_gateway.presence_reporter import PresenceReporter
from allibe_gateway.role_reads import RoleReads
from allibe_gateway.shared import Shared
from allibe_services.auth import TokenSigner, TokenVerifier
from allibe_services.auth.revoked import Revoked
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.rates.limiter import unlimited
from allibe_services.telemetry import GatewayMetrics
from allibe_services.tickets.inprocess import InProcessTickets
from tests.support.partial_store import PartialStore
from tests.unit.gateway.fakes import ROOM, FakeBus, FakeLog
from tests.unit.gateway.fanout.feeds import LIMITS
from tests.unit.gateway.members import FakeMembers

SECRET = "0123456789abcdef0123456789abcdef"
ALICE, BOB = UserId("alice"), UserId("bob")
OTHER = RoomId("2")


class FakeStore(PartialStore[FakeLog, FakeMembers]):
    """`Store` of fakes."""

    def __init__(self) -> None:
        super().__init__(FakeLog(), FakeMembers())


class World:
    """Alice and Bob are members of room 1, Alice of room 2. `now` is added to the real time."""

    def __init__(self, limits: Limits) -> None:
        self.ahead = 0.0
        self.bus = FakeBus()
        self.store = FakeStore()
        self.store.log.rooms[OTHER] = []
        self.store.members.join(ROOM, ALICE, BOB)
        self.store.members.join(OTHER, ALICE)
        self.presence = InProcessPresence()
        self.registry = CollectorRegistry()
        metrics = GatewayMetrics(self.registry)
        self.hub = Hub(self.bus, self.store.log, LIMITS, metrics)
        self.reporter = PresenceReporter(self.presence)
        self.deadlines = Deadlines(self.clock)
        self.revoked = Revoked(self.store.revocations, clock=self.clock)
        self.limiter = unlimited()
        self.tickets = InProcessTickets()
        verifier = TokenVerifier("HS256", SECRET, revoked=self.revoked, clock=self.clock)
        self.roles = RoleReads(self.store.members)
        self.shared = Shared(
            self.bus,
            self.store,
            self.roles,
            self.hub,
            verifier,
            self.tickets,
            self.reporter,
            self.deadlines,
            limits,
            metrics,
            self.limiter,
            self.clock,
        )

    def clock(self) -> float:
        return time.time() + self.ahead

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass for tokens and deadlines."""
        self.ahead += seconds
        self.deadlines._fire()

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"allibe_gateway_{name}", labels)


@asynccontextmanager
async def world_of(limits: Limits | None = None) -> AsyncIterator[World]:
    """Run a world."""
    world = World(limits or Limits())
    await world.hub.open()
    await world.revoked.catch_up()
    world.revoked.tell(world.hub.on_revocations)
    try:
        yield world
    finally:
        world.deadlines.close()
        world.roles.close()
        await world.hub.close()


def token(user: str = "alice", *, ttl: float = 600, name: str | None = None) -> str:
    """Sign a token."""
    return TokenSigner("HS256", SECRET).sign(user, ttl=ttl, name=name)


def token_of(user: str = "alice", **claims: object) -> str:
    """Sign a token with any claims."""
    return jwt.encode({"sub": user, "exp": time.time() + 600} | claims, SECRET, "HS256")
