"""The bus: commands in (durable, ordered per room and sender), events out (fast, may be lost).

Whoever loses events learns of it (`EventHandler.on_doubt`) or finds the hole by offset, and reads
the log. So an implementation may drop events, but never reorder those of one room that it does
deliver, and never lose a command that it has confirmed.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Protocol

from allibe_services.contracts.commands import Outcome, PostMessage, Stored
from allibe_services.contracts.events import Event

Posted = asyncio.Future[Stored | None]
"""What became of a message: see `Bus.post`."""

DELIVERY_BYTES = 1 << 20
"""Most content of a delivery, in bytes of UTF-8: it becomes one transaction and one fan-out.

The longest messages make 4 MB of a batch of 500; in a quarter of that no other room waits long.
"""


class Delivery(Protocol):
    """A hand-over of waiting commands of one shard, in order, to be acked as a whole.

    Not acked (the consumer died), the same commands are handed over again, before later ones. With
    a broker also some that were acked may come again: the log skips what it has.
    """

    @property
    def commands(self) -> Sequence[PostMessage]:
        """One or more commands, within the bounds that `Bus.deliveries` states."""
        ...

    async def ack(self, outcomes: Sequence[Outcome]) -> None:
        """Let the bus forget the commands; one outcome for each, in order.

        `Rejected` ones are kept aside for people to look at where the bus can.
        """
        ...


class EventHandler(Protocol):
    """Who listens to events. Called on the event loop; must return soon and raise nothing."""

    def on_events(self, events: Sequence[Event]) -> None:
        """Take events under bound keys, in the order in which they were published."""
        ...

    def on_doubt(self) -> None:
        """Events may have been lost (the bus was away): compare with the log."""
        ...


class Listening(Protocol):
    """A handler's place on the bus. Keys are exact, not patterns.

    Every call ends within the bus's publish time limit (`ALLIBE_PUBLISH_SECONDS`).
    """

    async def bind(self, keys: Collection[str]) -> None:
        """Return once every later event under the keys will be handed to the handler.

        Raises `BusUnavailable` when that is not certain within the publish time limit: some keys
        may be bound, bind all again.
        """
        ...

    async def unbind(self, keys: Collection[str]) -> None:
        """Stop events under the keys; some that are on their way may still arrive.

        Raises `BusUnavailable` when the bus has not said so within the publish time limit: some
        keys may still be bound, unbind all again.
        """
        ...

    async def close(self) -> None:
        """Stop all events, within the publish time limit; raises nothing when the bus is away."""
        ...


class Bus(Protocol):
    """What gateways, rooms-api and workers know of one another.

    The publish time limit is `ALLIBE_PUBLISH_SECONDS`. No call takes longer, so that a bus that
    hangs stalls nobody for good; only `deliveries` waits for as long as there is nothing.
    """

    @property
    def shards(self) -> int:
        """How many shards commands are spread over; fixed for the life of a deployment."""
        ...

    def post(self, command: PostMessage) -> Posted:
        """Put a command into its room's shard, after all that this process put there before.

        Never blocks. The future ends within the publish time limit: with the stored message where
        the bus waits for the commit (embedded), with None once the command is durable, or with
        `NotConfirmed`, `BusUnavailable`, `Overloaded`, `ShuttingDown` (retryable) or
        `CommandRejected`. Cancelling it does not recall the command.
        """
        ...

    def deliveries(self, shard: int, *, most: int) -> AsyncGenerator[Delivery, None]:
        """Hand over a shard's commands, whatever is waiting at once, up to `most` a time.

        A delivery holds at most `DELIVERY_BYTES` of content, or one command that is longer. The
        next delivery comes after the ack of the last. One consumer per shard is active; close the
        generator (`aclose`) to let the next one be, which gets what was not acked.
        """
        ...

    async def lengths(self, shards: Collection[int]) -> dict[int, int]:
        """Return how much waits in each of these shards, handed over excluded: a figure for people.

        It is commands, or what the bus makes of several. Raises `BusUnavailable`.
        """
        ...

    async def dead_letters(self) -> int:
        """Return how many dead letters there are, those that an operator has excluded.

        0 where the bus keeps none. Raises `BusUnavailable`.
        """
        ...

    async def publish(self, events: Sequence[Event]) -> None:
        """Publish events, each under its key; return when the bus has them all.

        Raises `BusUnavailable` (retryable) when the bus has not taken them all within the publish
        time limit: some may have gone out, publish all again.
        """
        ...

    async def listen(self, handler: EventHandler) -> Listening:
        """Give a handler its own place on the bus, bound to nothing yet.

        Raises `BusUnavailable` when there is none within the publish time limit.
        """
        ...

    async def ping(self) -> None:
        """Raise `BusUnavailable` unless commands would be taken now."""
        ...

    async def close(self) -> None:
        """Refuse new commands, end open futures with `ShuttingDown`, stop deliveries."""
        ...
