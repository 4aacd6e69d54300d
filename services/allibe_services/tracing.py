"""Traces of messages: a span for each step from the post to the sockets, none as long as a socket.

Off by default: then `current` is None, and each step costs the comparison. What belongs together is
known by the message's id: its context, a `traceparent`, is kept here, and travels in AMQP headers
beside the batch that the message is in, so that what commands and events look like does not change.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.messages import Message
from allibe_services.trace_context import TRACEPARENT, trace_of

TABLE = "traces"
"""The AMQP header with the contexts of a batch by message id; `traceparent` has the first."""

MOST_CONTEXTS = 10_000
"""Contexts kept: of the messages of some seconds, each of which is traced. The oldest go first."""

MOST_IN_BATCH = 32
"""Contexts that travel with a batch, 3 KB: headers have to fit in one frame of 128 KiB."""

Step = Literal["post", "store", "publish", "deliver"]


class Span(Protocol):
    """One step of one message that is traced. `context` is its `traceparent`."""

    context: str

    def end(self, error: str | None = None) -> None:
        """It is over now; `error` is the code of what went wrong."""
        ...


class Tracer(Protocol):
    """Where spans go. Returns at once, and raises nothing."""

    def begin(self, step: Step, parent: str | None, ids: Mapping[str, str]) -> Span | None:
        """Begin a span now, under the context of a parent; None where it is not to be traced.

        Without a parent the tracer decides; with one it is traced as that is.
        """
        ...


class Traces:
    """What a process traces."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._contexts: OrderedDict[str, str] = OrderedDict()
        self._delivering: list[Span] = []

    def posted(self, command: PostMessage, told: "asyncio.Future[Stored | None]") -> None:
        """Trace a message, perhaps, from now until its sender is told what became of it."""
        span = self._tracer.begin("post", None, _ids(command))
        if span is not None:
            self._keep(command.message_id, span.context)
            told.add_done_callback(lambda future: span.end(_code(future)))

    @contextmanager
    def step(self, step: Step, messages: Sequence[PostMessage | Message]) -> Iterator[None]:
        """Trace a step of the messages that are traced; what is sent meanwhile is its child."""
        spans = [(one.message_id, span) for one in messages if (span := self._begin(step, one))]
        parents: dict[str, str] = {one: self._contexts[one] for one, _ in spans}
        for message_id, span in spans:
            self._contexts[message_id] = span.context
        try:
            yield
        finally:
            for _, span in spans:
                span.end()
            if step != "publish":  # whose subscribers may be in this process
                self._contexts.update(parents)

    def delivering(self, message: Message) -> None:
        """Trace a message from here to `delivered`."""
        span = self._begin("deliver", message)
        if span is not None:
            self._delivering.append(span)

    def delivered(self) -> None:
        """All that was being delivered is written to the sockets."""
        spans, self._delivering = self._delivering, []
        for span in spans:
            span.end()

    def trace_id(self, message_id: str) -> str | None:
        """Return the trace of a message: 32 hexadecimal digits; None where it is not traced."""
        context = self._contexts.get(message_id)
        return None if context is None else trace_of({TRACEPARENT: context})

    def headers(self, messages: Sequence[object]) -> dict[str, Any]:
        """Return what goes into AMQP headers for a batch; nothing where none is traced."""
        contexts = {
            one.message_id: self._contexts[one.message_id]
            for one in messages
            if isinstance(one, PostMessage | Message) and one.message_id in self._contexts
        }
        if not contexts:
            return {}
        most = dict(list(contexts.items())[:MOST_IN_BATCH])
        return {TRACEPARENT: next(iter(most.values())), TABLE: most}

    def take(self, headers: Mapping[str, Any] | None) -> None:
        """Remember the contexts that came with a batch; what is none is ignored."""
        table = (headers or {}).get(TABLE)
        if isinstance(table, dict):
            for message_id, context in list(table.items())[:MOST_IN_BATCH]:
                if isinstance(context, str) and trace_of({TRACEPARENT: context}) is not None:
                    self._keep(str(message_id), context)

    def _begin(self, step: Step, message: PostMessage | Message) -> Span | None:
        context = self._contexts.get(message.message_id)
        return None if context is None else self._tracer.begin(step, context, _ids(message))

    def _keep(self, message_id: str, context: str) -> None:
        self._contexts[message_id] = context
        if len(self._contexts) > MOST_CONTEXTS:
            self._contexts.popitem(last=False)


current: Traces | None = None
"""Of the process, as its log is; set before anything else begins."""


def _ids(one: PostMessage | Message) -> dict[str, str]:
    return {"message": one.message_id, "room": one.room_id, "user": one.sender}


def _code(future: "asyncio.Future[Stored | None]") -> str | None:
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    return error.code if isinstance(error, AllibeError) else None


def trace_id(message_id: str) -> str | None:
    """Return the trace of a message, None where it is not traced: for lines of the log."""
    return None if current is None else current.trace_id(message_id)
