"""One shard: take what waits, store it, publish it, ack it.

The unacknowledged delivery is the outbox (DESIGN §1.3). A crash between any two steps leads to
the same commands again, and to the same events with the same offsets.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from datetime import datetime

from allibe_fanout_worker.retrying import Stall, until_it_works
from allibe_fanout_worker.sequencer import Sequencer, messages_of
from allibe_services import tracing
from allibe_services.bus.base import Bus, Delivery
from allibe_services.contracts.commands import Outcome, PostMessage
from allibe_services.contracts.messages import Message, now
from allibe_services.telemetry import WorkerMetrics

_NOTHING = nullcontext()

BATCH = 500
"""Most commands in a transaction: larger ones gain nothing and keep row locks for longer."""


class ShardConsumer:
    """Consumes one shard until it lets go, its task is cancelled or the bus closes."""

    def __init__(
        self,
        bus: Bus,
        sequencer: Sequencer,
        tell: Callable[[Sequence[Outcome]], None],
        shard: int,
        stall: Stall,
        metrics: WorkerMetrics,
    ) -> None:
        """`tell` hears of what was stored and acked; it must return at once."""
        self._bus = bus
        self._sequencer = sequencer
        self._tell = tell
        self._shard = shard
        self._stall = stall
        self._publishing = metrics.step_seconds.labels("publish")
        self._lets_go = False
        self.has_delivery = False
        """Whether a delivery is in hand: to cancel the task now may leave it stored and unacked."""
        self._oldest: datetime | None = None

    async def run(self) -> None:
        """Go on until told to let go; what is unavailable is waited for."""
        # Closed here, not whenever the iterator is collected: until then nobody else gets anything.
        async with aclosing(self._bus.deliveries(self._shard, most=BATCH)) as deliveries:
            async for delivery in deliveries:
                self.has_delivery = True
                self._oldest = delivery.commands[0].sent_at
                await self._handle(delivery)
                self._oldest = None
                self.has_delivery = False
                if self._lets_go:
                    return

    def let_go(self) -> None:
        """End after the delivery in hand. Without one, the task is to be cancelled."""
        self._lets_go = True

    def oldest_seconds(self) -> float:
        """Return the age of the oldest command in hand, 0 without any."""
        oldest = self._oldest  # nobody handles a shard's commands before those that came earlier
        return 0.0 if oldest is None else max(0.0, (now() - oldest).total_seconds())

    async def _handle(self, delivery: Delivery) -> None:
        with _traced("store", delivery.commands):
            outcomes = await self._sequencer.store(delivery.commands)
        messages = messages_of(outcomes)
        with self._publishing.time(), _traced("publish", messages):
            await until_it_works(
                lambda: self._bus.publish(messages), step="publish", stall=self._stall
            )
        await delivery.ack(outcomes)
        self._tell(outcomes)


def _traced(
    step: tracing.Step, messages: Sequence[PostMessage | Message]
) -> AbstractContextManager[None]:
    return _NOTHING if tracing.current is None else tracing.current.step(step, messages)
