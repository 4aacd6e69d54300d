"""A connection as its gateway sees it, whatever it runs over. What its door sees is in `base`."""

import asyncio
from abc import ABC, abstractmethod
from typing import Final

from uuid_utils import uuid7

from allibe_gateway.doors.base import Door
from allibe_gateway.fanout.backlogs import Backlogs
from allibe_gateway.fanout.outbox import Outbox, Transport
from allibe_gateway.inbound import Inbound
from allibe_gateway.limits import Limits
from allibe_gateway.trail import note
from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from allibe_services.contracts.ids import UserId
from allibe_services.telemetry import GatewayMetrics

EARLY: Final = 0.75
"""Part of its interval after which a heart-beat is due: the sweep, every eighth of the shortest
interval or more often, is then never late."""


class ServedConnection(ABC):
    """Heart-beats, the bound of what is unsent, and the drain. `transport` is what carries the
    outbox's frames, which wait in `backlogs` or in itself; intervals are in seconds, 0 for never,
    and times are the loop's."""

    __slots__ = (
        "_closer",
        "_draining",
        "_inbound",
        "_last_in",
        "_limits",
        "_loop",
        "_metrics",
        "_next_out",
        "_receive_within",
        "_send_every",
        "door",
        "id",
        "outbox",
    )

    def __init__(
        self,
        transport: Transport,
        limits: Limits,
        metrics: GatewayMetrics,
        inbound: Inbound,
        backlogs: Backlogs | None = None,
    ) -> None:
        self.id = uuid7().hex
        self.door: Door | None = None
        self.outbox = Outbox(
            transport,
            most=limits.slow_consumer_bytes,
            shed=limits.shed_bytes,
            overflow=self._overflow,
            backlogs=backlogs,
        )
        self._limits = limits
        self._metrics = metrics
        self._inbound = inbound
        self._loop = asyncio.get_running_loop()
        self._closer: asyncio.Task[None] | None = None
        self._draining = False
        self._last_in = self._loop.time()
        self._send_every = self._next_out = self._receive_within = 0.0

    @property
    def user(self) -> UserId | None:
        """Whose it is, once that is known."""
        return None if self.door is None else self.door.user

    @property
    def deflated(self) -> bool:
        """See `base.Connection`."""
        return False

    @property
    @abstractmethod
    def closing(self) -> bool:
        """Whether it is being closed: nothing more is written to it."""

    @property
    @abstractmethod
    def unsent(self) -> int:
        """Bytes that its peer has not taken."""

    @abstractmethod
    def disconnect(self, reason: Disconnect) -> None:
        """Close once, after what was written."""

    def beat(self, now: float) -> None:
        """Send a heart-beat if one is due, and miss the peer's; `now` in loop time."""
        silent = now - self._last_in
        if self._receive_within and silent > self._receive_within and not self._busy():
            self.disconnect(disconnects.HEARTBEAT_LOST)
        elif self._send_every and now >= self._next_out and self.door is not None:
            self._next_out = now + EARLY * self._send_every
            self.outbox.write(self._heart_beat(self.door))

    def fall_behind(self) -> None:
        """Let go of what its peer does not read: close, and drop it when it is closing already."""
        if self.closing:
            self._drop()
        else:
            self.outbox.clear()
            self.disconnect(disconnects.SLOW_CONSUMER)

    def hint(self, in_ms: int) -> bool:
        """Tell when to reconnect, if it can be told; it is served as before."""
        return self.door is not None and not self.closing and self.door.hint(in_ms)

    async def drain(self) -> None:
        """Take no more requests, settle what was taken, then close; at once when cancelled."""
        self._draining = True
        try:
            if self.door is not None:
                await self.door.settled()
        finally:
            self.disconnect(disconnects.RESTART)

    def _note_end(self, reason: Disconnect) -> None:
        """Count a close of ours."""
        self._metrics.disconnects.labels(str(reason.code)).inc()
        note("disconnected", self.id, self.user, code=reason.code)

    def _overflow(self) -> None:
        self.disconnect(disconnects.SLOW_CONSUMER)

    @abstractmethod
    def _busy(self) -> bool:
        """Tell whether the peer's silence is ours: it waits for us."""

    @abstractmethod
    def _heart_beat(self, door: Door) -> bytes:
        """Return what shows life, as finished bytes."""

    @abstractmethod
    def _drop(self) -> None:
        """Let go of what is unsent, and of the peer."""
