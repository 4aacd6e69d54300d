"""Commands become log entries: stored first, in order, once; then, and only then, events."""

from collections.abc import Sequence

import structlog

from allibe_fanout_worker.retrying import Stall, until_it_works
from allibe_services.contracts.commands import Outcome, PostMessage, Rejected, Stored
from allibe_services.contracts.messages import Message
from allibe_services.log_level import debugs
from allibe_services.store.base import RoomLog
from allibe_services.telemetry import WorkerMetrics
from allibe_services.tracing import trace_id

log = structlog.get_logger(__name__)


class Sequencer:
    """Stores batches of commands of one shard."""

    def __init__(self, room_log: RoomLog, metrics: WorkerMetrics, stall: Stall) -> None:
        self._log = room_log
        self._metrics = metrics
        self._stall = stall
        self._storing = metrics.step_seconds.labels("store")

    async def store(self, commands: Sequence[PostMessage]) -> list[Outcome]:
        """Return an outcome for each command once all are durable, however long that takes."""
        with self._storing.time():
            outcomes = await until_it_works(
                lambda: self._log.append(commands), step="store", stall=self._stall
            )
        self._metrics.batch_size.observe(len(commands))
        self._count(commands, outcomes)
        if debugs():
            for message in messages_of(outcomes):
                log.debug("message_stored", offset=message.offset, **_ids(message))
        return outcomes

    def _count(self, commands: Sequence[PostMessage], outcomes: Sequence[Outcome]) -> None:
        rejected = duplicates = 0
        for command, outcome in zip(commands, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                log.warning("command_rejected", code=outcome.code, **_ids(command))
                rejected += 1
            elif outcome.duplicate:
                duplicates += 1
        self._metrics.rejected.inc(rejected)
        self._metrics.duplicates.inc(duplicates)
        self._metrics.stored.inc(len(outcomes) - rejected - duplicates)


def _ids(one: PostMessage | Message) -> dict[str, str]:
    """Return what a line of the log may say of a message."""
    ids = {"message": one.message_id, "room": one.room_id, "user": one.sender}
    trace = trace_id(one.message_id)
    return ids if trace is None else ids | {"trace": trace}


def messages_of(outcomes: Sequence[Outcome]) -> list[Message]:
    """Return the messages to publish: new ones, and duplicates whose event may have been lost."""
    return [outcome.message for outcome in outcomes if isinstance(outcome, Stored)]
