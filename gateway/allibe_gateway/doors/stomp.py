"""STOMP 1.0 to 1.2 at `/allibe-ws`: frames to session calls. Answers are in `stomp_replies`."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache, partial
from typing import Any

import msgspec

from allibe_gateway.doors import destinations
from allibe_gateway.doors.base import Connection, Framing
from allibe_gateway.doors.bodies import MessageBody, ReadBody, RoomBody, VisibilityBody, decode
from allibe_gateway.doors.deflated_view import DeflatedView
from allibe_gateway.doors.stomp_replies import StompReplies, joined_headers
from allibe_gateway.doors.stomp_view import stomp_view
from allibe_gateway.fanout.audience import View
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.fanout.room_feed import Joined
from allibe_gateway.session import Session
from allibe_gateway.shared import Shared
from allibe_gateway.stomp import (
    HEART_BEAT,
    Ack,
    Connect,
    Disconnect,
    Handled,
    Nack,
    Send,
    ServerProtocol,
    StompError,
    Subscribe,
    Unsubscribe,
)
from allibe_gateway.subscriptions import RoomSubscription
from allibe_services.bus.base import Posted
from allibe_services.contracts import disconnects
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.errors import (
    AllibeError,
    BadRequest,
    Conflict,
    UnknownDestination,
)
from allibe_services.contracts.events import RoomLeft, UserEvent
from allibe_services.contracts.identity import Identity
from allibe_services.contracts.ids import Position, UserId

FRAMES_IN_A_ROW = 50
"""Frames of one WebSocket message that are handled before others have their turn."""

SUBSCRIPTION_ID_LENGTH = 256
"""Longest subscription id, in characters: it is part of every MESSAGE, and views are cached."""

_message = msgspec.json.Decoder(MessageBody)
_room = msgspec.json.Decoder(RoomBody)
_read = msgspec.json.Decoder(ReadBody)
_visibility = msgspec.json.Decoder(VisibilityBody)
_encode = msgspec.json.Encoder().encode


class StompDoor:
    """One STOMP connection. A token or a ticket may have come with the handshake."""

    __slots__ = (
        "_connection",
        "_handshake_token",
        "_protocol",
        "_refused",
        "_replies",
        "_session",
        "_shared",
        "_ticket",
        "heart_beat",
    )

    def __init__(
        self, connection: Connection, shared: Shared, handshake_token: str, ticket: str = ""
    ) -> None:
        offer = int(shared.limits.heart_beat_seconds * 1000)
        self.heart_beat = _heart_beat(connection.framing)
        self._connection = connection
        self._shared = shared
        self._handshake_token = handshake_token
        self._ticket = ticket
        self._protocol = ServerProtocol(heart_beat=(offer, offer))
        self._session = Session(connection.id, shared, connection.outbox, self)
        self._replies = StompReplies(connection, self._protocol, shared.metrics)
        self._refused: tuple[str, AllibeError] | None = None

    # Door

    @property
    def user(self) -> UserId | None:
        """Whose connection it is, once that is known."""
        return self._session.user

    def open(self) -> None:
        """Nothing happens before CONNECT."""

    async def receive(self, chunk: bytes) -> int:
        """Handle the frames of one WebSocket message, in order, until one ends the connection."""
        number = 0
        try:
            for number, event in enumerate(self._protocol.receive(chunk), 1):
                await _HANDLERS[type(event)](self, event)
                if self._connection.closing:
                    return number
                if number % FRAMES_IN_A_ROW == 0:
                    await asyncio.sleep(0)  # a chunk may hold thousands: others wait
        except StompError as error:
            await self.settled()
            self._replies.refuse_frame(error)
        return number

    def hint(self, in_ms: int) -> bool:
        """Send it to the queue of errors."""
        return self._replies.hint(in_ms)

    async def settled(self) -> None:
        """Wait for receipts."""
        try:
            await self._session.settled()
        except AllibeError:
            return
        finally:
            self._replies.flush()

    async def close(self) -> None:
        """End the session."""
        await self._session.close()

    # Session's owner

    def fail(self, error: AllibeError) -> None:
        """Send ERROR, then close."""
        self._replies.fail(error)

    def on_event(self, event: UserEvent) -> None:
        """Send what concerns the user to the queues that the client has subscribed to."""
        for body, queue in self._replies.queues.for_event(event):
            self._replies.to_queue(queue, body)

    def on_revoked(self, subscription: RoomSubscription) -> None:
        """End the subscription with a last MESSAGE that says why; the connection lives."""
        identity = self._session.identity
        if identity is None:
            return
        last = RoomLeft(to=identity.user_id, room_id=subscription.room_id)
        # Its message-id is the last position, for clients that keep it or ACK it.
        position = self._shared.hub.position(subscription.room_id)
        entry = Entry(0, str(position or "removed"), _encode(last))
        self._connection.outbox.write(subscription.view.encode_for_one(entry))

    def on_log_reset(self) -> None:
        """Let the client come back: its SUBSCRIBE will say that it could not recover."""
        self._replies.flush()
        self._connection.disconnect(disconnects.LOG_RESET)

    # Frames

    async def _connect(self, frame: Connect) -> None:
        heart_beat = frame.heart_beat
        self._replies.soft = frame.headers.get("x-soft-errors") == "true"
        try:
            identity = await self._sign_in(frame)
        except AllibeError as error:
            self._replies.fail(error)
            return
        self._connection.expect_heart_beats(
            send_seconds=heart_beat.send_ms / 1000, receive_seconds=heart_beat.receive_ms / 1000
        )
        offer = int(self._shared.limits.heart_beat_seconds * 1000)
        user = identity.user_id if identity is not None else None
        self._replies.connected(frame.version, (offer, offer), user)

    async def _sign_in(self, frame: Connect) -> Identity | None:
        token, ticket = _token(frame.headers) or self._handshake_token, self._ticket
        self._handshake_token = self._ticket = ""
        if token:
            return await self._session.sign_in(token)
        return await self._session.redeem(ticket) if ticket else None

    async def _subscribe(self, frame: Subscribe) -> None:
        try:
            joined = await self._begin_subscription(frame)
        except AllibeError as error:
            await self._before_error()
            self._replies.tell(error, frame.receipt, frame.destination)
            return
        self._replies.receipt(frame.receipt, joined_headers(joined))

    async def _begin_subscription(self, frame: Subscribe) -> Joined | None:
        if token := _token(frame.headers):
            await self._session.sign_in(token)
        self._session.require_identity()
        target = destinations.parse(frame.destination)
        if len(frame.id) > SUBSCRIPTION_ID_LENGTH:
            raise BadRequest(f"A subscription id has at most {SUBSCRIPTION_ID_LENGTH} characters.")
        if frame.id in self._replies.queues or frame.id in self._session.subscriptions:
            raise Conflict("The subscription id is in use on this connection.")
        if frame.ack != "auto" and not _is_log(target):
            raise BadRequest("ack is auto here: only a room's log has a read marker.")
        if isinstance(target, destinations.UserQueue):
            self._replies.queues.add(target.name, frame.id, frame.id if frame.has_id else None)
            return None
        if frame.ack == "client-individual":
            raise BadRequest("ack is auto or client: an ACK is a read marker, so it is cumulative.")
        view = self._view(frame, target)
        subscription = RoomSubscription(frame.id, target.room_id, target.stream, view)
        return await self._session.subscribe(subscription, _since(frame.headers))

    def _view(self, frame: Subscribe, target: destinations.RoomStream) -> View:
        """Return how the client sees a room. Compressed for the first of its ids alone.

        Each of 100 ids that nobody else has would be a group to compress for.
        """
        view = stomp_view(
            self._connection.framing,
            self._protocol.version,
            frame.id if frame.has_id else None,
            frame.destination,
            ack=frame.ack == "client",
        )
        others = self._session.subscriptions.of_room(target.room_id)
        if not self._connection.deflated or any(one.stream == target.stream for one in others):
            return view
        return DeflatedView(view)

    async def _unsubscribe(self, frame: Unsubscribe) -> None:
        if not self._replies.queues.remove(frame.id):
            self._session.unsubscribe(frame.id)
        self._replies.receipt(frame.receipt)

    async def _send(self, frame: Send) -> None:
        if self._refused is not None and frame.headers.get("transaction") != self._refused[0]:
            self._refused = None  # of a COMMIT that asked for no receipt
        try:
            if token := _token(frame.headers):
                await self._session.sign_in(token)
            if frame.destination == "/app/message":
                await self._post(frame)
                return
            await self._do(frame)
        except AllibeError as error:
            self._note_refusal(frame, error)
            await self._before_error()
            self._replies.tell(error, frame.receipt, frame.destination, _named_by_client(frame))
            return
        self._replies.receipt(frame.receipt)

    async def _post(self, frame: Send) -> None:
        """Post a message; its receipt, or its error, follows when it is settled."""
        self._session.require_identity()
        body = decode(_message, frame.body)
        await self._session.post(
            body.room_id,
            body.content,
            settled=partial(self._posted, frame),
            client_message_id=body.client_message_id,
            sender=body.sender,
        )

    def _posted(self, frame: Send, _: PostMessage, future: Posted) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self._replies.receipt_soon(frame.receipt)
        elif isinstance(error, AllibeError):
            self._note_refusal(frame, error)
            self._replies.tell(error, frame.receipt, frame.destination, _named_by_client(frame))

    async def _do(self, frame: Send) -> None:
        if frame.destination == "/app/auth":
            if not _token(frame.headers):
                raise BadRequest("The Authorization header is missing.")
            return
        self._session.require_identity()
        if frame.destination == "/app/typing":
            typing = decode(_room, frame.body)
            await self._session.typing(typing.room_id, typing.user)
        elif frame.destination == "/app/read":
            read = decode(_read, frame.body)
            await self._session.read(read.room_id, read.offset)
        elif frame.destination == "/app/leave":
            left = decode(_room, frame.body)
            await self._session.leave(left.room_id, left.user)
        elif frame.destination == "/app/visibility":
            self._session.show(visible=decode(_visibility, frame.body).visible)
        else:
            raise UnknownDestination

    async def _ack(self, frame: Ack) -> None:
        try:
            position = Position.parse(frame.message_id)
            if position is None:
                raise BadRequest("This is no message-id of a room's log.")
            await self._session.acknowledge(position)
        except AllibeError as error:
            await self._before_error()
            self._replies.tell(error, frame.receipt, None)
            return
        self._replies.receipt(frame.receipt)

    async def _nack(self, frame: Nack) -> None:
        """A message in a log cannot be given back: a NACK changes nothing."""
        self._replies.receipt(frame.receipt)

    async def _handled(self, frame: Handled) -> None:
        if frame.command != "COMMIT":
            self._replies.receipt(frame.receipt)
            return
        # The receipt of a COMMIT covers the SENDs that it let go: all of them.
        await self.settled()
        refused, self._refused = self._refused, None
        if refused is None:
            self._replies.receipt(frame.receipt)
        else:
            self._replies.tell(refused[1], frame.receipt, None)

    def _note_refusal(self, frame: Send, error: AllibeError) -> None:
        """Remember that a SEND of a transaction was refused, for the COMMIT's receipt."""
        if (transaction := frame.headers.get("transaction")) is not None:
            self._refused = (transaction, error)

    async def _disconnect(self, frame: Disconnect) -> None:
        await self.settled()
        self._replies.receipt(frame.receipt)
        self._connection.disconnect(disconnects.NORMAL)

    async def _before_error(self) -> None:
        """Send the receipts of what came before a refused request, where its ERROR ends all."""
        if not self._replies.soft:
            await self.settled()


_HANDLERS: dict[type, Callable[[StompDoor, Any], Awaitable[None]]] = {
    Connect: StompDoor._connect,
    Subscribe: StompDoor._subscribe,
    Unsubscribe: StompDoor._unsubscribe,
    Send: StompDoor._send,
    Ack: StompDoor._ack,
    Nack: StompDoor._nack,
    Handled: StompDoor._handled,
    Disconnect: StompDoor._disconnect,
}


@cache
def _heart_beat(framing: Framing) -> bytes:
    """Return the same bytes for all connections: each would else keep its own."""
    return framing(HEART_BEAT)


def _is_log(target: destinations.RoomStream | destinations.UserQueue) -> bool:
    return isinstance(target, destinations.RoomStream) and target.stream == "log"


def _named_by_client(frame: Send) -> str | None:
    """Return the client's own id of the message that a SEND posts, if it can be read."""
    if frame.destination != "/app/message":
        return None
    try:
        return decode(_message, frame.body).client_message_id
    except BadRequest:
        return None


def _token(headers: dict[str, str]) -> str:
    return headers.get("Authorization") or headers.get("authorization") or ""


def _since(headers: dict[str, str]) -> Position | None:
    text = headers.get("x-since")
    if not text:
        return None
    position = Position.parse(text)
    if position is None:
        raise BadRequest("x-since is not a message-id.")
    return position
