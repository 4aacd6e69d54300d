"""What a consumer of a shard has at hand: AMQP messages, their commands, and what may be acked.

An AMQP message may hold less or more than a delivery: small ones are handed over together, a large
one in parts. RabbitMQ hears of a message when its last part is acked.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiormq.abc import DeliveredMessage

from allibe_services import tracing
from allibe_services.bus.base import DELIVERY_BYTES
from allibe_services.bus.line import utf8_bytes
from allibe_services.bus.rabbitmq import codec
from allibe_services.contracts.commands import PostMessage


@dataclass(frozen=True)
class Poison:
    """An AMQP message that nobody can read."""

    body: bytes
    content_type: str | None
    tag: int
    reason: str


@dataclass
class Portion:
    """Commands for one delivery; `tag` is that of the last message which they complete."""

    commands: list[PostMessage] = field(default_factory=list)
    tag: int | None = None


class Intake:
    """Messages in the order in which they came. `on_message` is the consumer's callback."""

    def __init__(self) -> None:
        self._messages: deque[DeliveredMessage] = deque()
        self._commands: deque[PostMessage] = deque()
        self._tag: int | None = None
        self._changed = asyncio.Event()
        self.has_ended = False

    async def on_message(self, message: DeliveredMessage) -> None:
        """Take a message."""
        self._messages.append(message)
        self._changed.set()

    def end(self) -> None:
        """Nothing comes any more: the channel is gone, and what is here comes again elsewhere."""
        self.has_ended = True
        self._changed.set()

    async def next(self, most: int) -> Portion | Poison | None:
        """Return what waits, as soon as there is something; None when it has ended."""
        while not self._messages and not self._commands and not self.has_ended:
            self._changed.clear()
            await self._changed.wait()
        return None if self.has_ended else self._taken(most)

    def _taken(self, most: int) -> Portion | Poison:
        if not self._commands and (poison := self._open_next()):
            return poison
        portion = Portion()
        fits = _limit(most)
        while self._commands and fits(self._commands[0]):
            portion.commands.append(self._commands.popleft())
        while not self._commands:
            portion.tag = self._tag
            # More messages, as long as they fit as a whole: what was acked of a part comes again
            # when the channel goes before the rest is acked.
            if not self._messages or self._open_next() or not all(map(fits, self._commands)):
                break
            portion.commands.extend(self._commands)
            self._commands.clear()
        return portion

    def _open_next(self) -> Poison | None:
        """Make the next message's commands those at hand, or say what is wrong; it stays then
        until it comes first."""
        message = self._messages[0]
        content_type = message.header.properties.content_type
        tag = message.delivery_tag or 0
        try:
            self._commands.extend(codec.decode_commands(message.body, content_type))
        except codec.Undecodable as error:
            return Poison(message.body, content_type, tag, str(error))
        if tracing.current is not None:
            tracing.current.take(message.header.properties.headers)
        self._messages.popleft()
        self._tag = tag
        return None

    def forget(self, poison: Poison) -> None:
        """Forget the message that is first: it has been put aside."""
        if self._messages and self._messages[0].delivery_tag == poison.tag:
            self._messages.popleft()


def _limit(most: int) -> Callable[[PostMessage], bool]:
    """Count commands, and tell of each whether it still fits; the first always does."""
    count, room = 0, DELIVERY_BYTES

    def fits(command: PostMessage) -> bool:
        nonlocal count, room
        size = utf8_bytes(command.content)
        if count and (count >= most or size > room):
            return False
        count += 1
        room -= size
        return True

    return fits
