"""The `/user/queue/…` subscriptions of one STOMP connection, and what goes to which."""

from collections.abc import Iterator
from itertools import count

import msgspec

from allibe_gateway.doors.base import Framing
from allibe_gateway.doors.destinations import UserQueueName
from allibe_gateway.doors.stomp_view import stomp_view
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.stomp import Version
from allibe_services.contracts.errors import AllibeError, Conflict
from allibe_services.contracts.events import Notification, UserEvent

_encode = msgspec.json.Encoder().encode


class ErrorBody(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, tag="error"):
    """A soft error, as `/user/queue/errors` carries it."""

    code: str
    message: str
    retryable: bool
    retry_after_ms: int | None = None
    receipt_id: str | None = None
    destination: str | None = None


class UserQueues:
    """Which queues are subscribed to, under which subscription ids. One subscription each."""

    __slots__ = ("_frame_ids", "_ids", "_numbers")

    def __init__(self) -> None:
        self._ids: dict[str, UserQueueName] = {}
        self._frame_ids: dict[UserQueueName, str | None] = {}
        self._numbers = count(1)

    def __contains__(self, key: str) -> bool:
        """Whether the id is one of a queue's subscription."""
        return key in self._ids

    def add(self, name: UserQueueName, key: str, frame_id: str | None) -> None:
        """Begin a subscription under a free id. Raises `Conflict` when the queue is taken."""
        if name in self._frame_ids:
            raise Conflict("This connection subscribes to the queue already.")
        self._ids[key] = name
        self._frame_ids[name] = frame_id

    def remove(self, key: str) -> bool:
        """End a subscription; False when the id is none of a queue."""
        name = self._ids.pop(key, None)
        if name is None:
            return False
        del self._frame_ids[name]
        return True

    def for_event(self, event: UserEvent) -> Iterator[tuple[bytes, UserQueueName]]:
        """Return the event's body and queue where the client listens to it."""
        name: UserQueueName = "notifications" if isinstance(event, Notification) else "rooms"
        if name in self._frame_ids:
            yield _encode(event), name

    def encode(self, framing: Framing, version: Version, name: UserQueueName, body: bytes) -> bytes:
        """Return a MESSAGE for a queue as finished bytes."""
        destination = f"/user/queue/{name}"
        frame_id = self._frame_ids.get(name, destination)
        view = stomp_view(framing, version, frame_id, destination, ack=False)
        return view.encode(Entry(0, f"{name}-{next(self._numbers)}", body))

    @staticmethod
    def error_body(error: AllibeError, receipt: str | None, destination: str | None) -> bytes:
        """Return the body of a soft error."""
        return _encode(
            ErrorBody(
                code=error.code,
                message=error.message,
                retryable=error.retryable,
                retry_after_ms=error.retry_after_ms,
                receipt_id=receipt,
                destination=destination,
            )
        )
