"""Dead letters: what nobody can process goes to the queue `chat.dead`, with the reason.

RabbitMQ itself sends there what was delivered too often (`x-death` says so). `inspection` has what
people do with them.
"""

from collections.abc import Sequence

import structlog
from aio_pika.exceptions import DeliveryError

from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.calls import Lost, call
from allibe_services.bus.rabbitmq.letters import CODE, REASON, REASON_LENGTH, TIME
from allibe_services.bus.rabbitmq.publishing import Publishing
from allibe_services.bus.rabbitmq.topology import DEAD, queue_of
from allibe_services.contracts.commands import Outcome, PostMessage, Rejected
from allibe_services.contracts.messages import now

UNDECODABLE = "undecodable"

log = structlog.get_logger(__name__)


class DeadLetters:
    """Puts messages of one shard aside."""

    def __init__(self, publishing: Publishing, shard: int, *, seconds: float) -> None:
        self._publishing = publishing
        self._shard = shard
        self._seconds = seconds

    async def undecodable(self, body: bytes, content_type: str | None, reason: str) -> None:
        """Put an AMQP message aside as it is. Raises `Lost`: it may not be there."""
        log.error("undecodable_commands", shard=self._shard, reason=reason, bytes=len(body))
        await self._put(body, content_type or "", UNDECODABLE, reason)

    async def rejected(self, commands: Sequence[PostMessage], outcomes: Sequence[Outcome]) -> None:
        """Put those commands aside that the log does not take. Raises `Lost`."""
        for command, outcome in zip(commands, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                body = codec.encode([command])
                await self._put(body, codec.COMMANDS, outcome.code, outcome.reason)

    async def _put(self, body: bytes, content_type: str, code: str, reason: str) -> None:
        try:
            channel = await call(self._publishing.channel(), seconds=self._seconds)
            await self._publishing.publish(
                channel,
                body,
                exchange=DEAD,
                key=queue_of(self._shard),
                content_type=content_type,
                durable=True,
                headers={CODE: code, REASON: reason[:REASON_LENGTH], TIME: now()},
                seconds=self._seconds,
            )
        except DeliveryError as error:
            raise Lost(f"the dead-letter queue takes nothing: {error!r}") from error
