"""The `/user/queue/…` subscriptions of one STOMP connection, and what goes to which."""

from collections.abc import Iterator

import msgspec

from allibe_gateway.doors.base import Framing
from allibe_gateway.doors.destinations import UserQueueName
from allibe_gateway.doors.stomp_view import stomp_view
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.stomp import Frame, Version, encode
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
    client_message_id: str | None = None


class _Subscription(msgspec.Struct, frozen=True):
    name: UserQueueName
    key: str
    frame_id: str | None


class ReconnectBody(msgspec.Struct, frozen=True, rename="camel", tag="reconnect"):
    """The server will stop: come back after so many milliseconds, on a connection to another."""

    in_ms: int


class UserQueues:
    """Which queues are subscribed to, under which subscription ids. One subscription each."""

    __slots__ = ("_number", "_subscriptions")

    def __init__(self) -> None:
        # At most three, and nothing on a connection without any.
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._number = 0

    def __contains__(self, key: str) -> bool:
        """Whether the id is one of a queue's subscription."""
        return any(one.key == key for one in self._subscriptions)

    def add(self, name: UserQueueName, key: str, frame_id: str | None) -> None:
        """Begin a subscription under a free id. Raises `Conflict` when the queue is taken."""
        if self._find(name) is not None:
            raise Conflict("This connection subscribes to the queue already.")
        self._subscriptions = (*self._subscriptions, _Subscription(name, key, frame_id))

    def remove(self, key: str) -> bool:
        """End a subscription; False when the id is none of a queue."""
        rest = tuple(one for one in self._subscriptions if one.key != key)
        found = len(rest) < len(self._subscriptions)
        self._subscriptions = rest
        return found

    def for_event(self, event: UserEvent) -> Iterator[tuple[bytes, UserQueueName]]:
        """Return the event's body and queue where the client listens to it."""
        name: UserQueueName = "notifications" if isinstance(event, Notification) else "rooms"
        if self._find(name) is not None:
            yield _encode(event), name

    def encode(self, framing: Framing, version: Version, name: UserQueueName, body: bytes) -> bytes:
        """Return a MESSAGE for a queue as finished bytes."""
        destination = f"/user/queue/{name}"
        subscription = self._find(name)
        frame_id = destination if subscription is None else subscription.frame_id
        view = stomp_view(framing, version, frame_id, destination, ack=False)
        self._number += 1
        return view.encode(Entry(0, f"{name}-{self._number}", body))

    def _find(self, name: UserQueueName) -> _Subscription | None:
        return next((one for one in self._subscriptions if one.name == name), None)

    def hint(self, version: Version, in_ms: int) -> bytes | None:
        """Return the MESSAGE that tells when to reconnect, without its framing; None where nobody
        listens.
        """
        if (subscription := self._find("errors")) is None:
            return None
        frame_id, body = subscription.frame_id, _encode(ReconnectBody(in_ms))
        headers = {} if frame_id is None else {"subscription": frame_id}
        self._number += 1
        headers |= {
            "destination": "/user/queue/errors",
            "content-type": "application/json",
            "message-id": f"errors-{self._number}",
            "content-length": str(len(body)),
            "x-reconnect-ms": str(in_ms),
        }
        return encode(Frame("MESSAGE", headers, body), version)

    @staticmethod
    def error_body(
        error: AllibeError,
        receipt: str | None,
        destination: str | None,
        client_message_id: str | None = None,
    ) -> bytes:
        """Return the body of a soft error."""
        return _encode(
            ErrorBody(
                code=error.code,
                message=error.message,
                retryable=error.retryable,
                retry_after_ms=error.retry_after_ms,
                receipt_id=receipt,
                destination=destination,
                client_message_id=client_message_id,
            )
        )
