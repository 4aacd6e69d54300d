"""What all connections of a gateway share."""

from collections.abc import Callable
from dataclasses import dataclass

from allibe_gateway.deadlines import Deadlines
from allibe_gateway.fanout.hub import Hub
from allibe_gateway.limits import Limits
from allibe_gateway.presence_reporter import PresenceReporter
from allibe_gateway.role_reads import RoleReads
from allibe_services.auth import TokenVerifier
from allibe_services.bus.base import Bus
from allibe_services.rates.limiter import Limiter
from allibe_services.store.base import Store
from allibe_services.telemetry import GatewayMetrics
from allibe_services.tickets.base import Tickets


@dataclass(frozen=True, slots=True)
class Shared:
    """Handed to each session and door; none of them makes or closes any of it."""

    bus: Bus
    store: Store
    roles: RoleReads
    hub: Hub
    verifier: TokenVerifier
    tickets: Tickets
    presence: PresenceReporter
    deadlines: Deadlines
    limits: Limits
    metrics: GatewayMetrics
    limiter: Limiter
    clock: Callable[[], float]
    """Seconds since 1970, as in tokens."""
