"""Plain JSON at `/ws/chat?roomId=…`: one connection, one room, as in the requirements.

Refused requests are told as `error` and the connection lives; a connection that cannot join its
room, or whose token is over, is told and closed.
"""

import msgspec

from allibe_gateway.doors.base import Connection, disconnect_for
from allibe_gateway.doors.bodies import decode
from allibe_gateway.doors.deflated_view import DeflatedView
from allibe_gateway.doors.json_messages import (
    KINDS,
    AckOut,
    ErrorOut,
    In,
    JoinedOut,
    LeaveIn,
    LeftOut,
    MessageIn,
    Out,
    PingIn,
    PongOut,
    ReadIn,
    ReconnectOut,
    RefreshIn,
    TypingIn,
    VisibilityIn,
    decoder,
)
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.fanout.room_feed import Joined
from allibe_gateway.session import Session
from allibe_gateway.shared import Shared
from allibe_gateway.subscriptions import RoomSubscription
from allibe_gateway.trail import note
from allibe_gateway.websocket_frames import PING, text_frame
from allibe_services.bus.base import Posted
from allibe_services.contracts import disconnects
from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.content import checked_room_id
from allibe_services.contracts.errors import AllibeError, BadRequest, InvalidRoomId, NotAMember
from allibe_services.contracts.events import Notification, UserEvent
from allibe_services.contracts.ids import Position, RoomId, UserId

_encode = msgspec.json.Encoder().encode

_LOG = "log"
_NO_ROOM = "roomId is missing: connect to /ws/chat?roomId=<room>&token=<token>."
_ACTIVITY = "activity"


class _JsonView:
    """All JSON subscribers see the same frame: the entry's body."""

    def encode(self, entry: Entry) -> bytes:
        return text_frame(entry.body)

    encode_for_one = encode


JSON_VIEW = _JsonView()
_DEFLATED_VIEW = DeflatedView(JSON_VIEW)


class JsonDoor:
    """One connection to one room. `since` is a message-id to go on from."""

    heart_beat = PING

    def __init__(
        self,
        connection: Connection,
        shared: Shared,
        token: str,
        ticket: str = "",
        *,
        room_id: str,
        since: str,
    ) -> None:
        self._connection = connection
        self._shared = shared
        self._token = token
        self._ticket = ticket
        self._room_text = room_id
        self._since_text = since
        self._session = Session(connection.id, shared, connection.outbox, self)
        self._room: RoomId | None = None

    # Door

    @property
    def user(self) -> UserId | None:
        """Whose connection it is, once that is known."""
        return self._session.user

    async def open(self) -> None:
        """Sign in with the handshake's token or ticket, if there was one, and join the room."""
        seconds = self._shared.limits.heart_beat_seconds
        self._connection.expect_heart_beats(send_seconds=seconds, receive_seconds=seconds)
        try:
            if not self._room_text:
                raise InvalidRoomId(_NO_ROOM)
            checked_room_id(self._room_text)
            token, ticket, self._token, self._ticket = self._token, self._ticket, "", ""
            if token:
                await self._session.sign_in(token)
            elif ticket:
                await self._session.redeem(ticket)
            if self._session.identity is not None:
                await self._join()
        except AllibeError as error:
            self.fail(error)

    async def receive(self, chunk: bytes) -> int:
        """Handle one message."""
        client_message_id = None
        try:
            request = decode(decoder, chunk, KINDS)
            if isinstance(request, RefreshIn):
                await self._refresh(request)
            elif isinstance(request, PingIn):
                self._write(PongOut())
            elif isinstance(request, MessageIn):
                client_message_id = request.client_message_id
                await self._post(request)
            elif isinstance(request, VisibilityIn):
                self._session.show(visible=request.visible)
            else:
                await self._do(request)
        except AllibeError as error:
            self._tell(error, client_message_id)
        return 1

    def hint(self, in_ms: int) -> bool:
        """Send `reconnect`."""
        self._write(ReconnectOut(in_ms))
        return True

    async def settled(self) -> None:
        """Wait for acks."""
        try:
            await self._session.settled()
        except AllibeError:
            return

    async def close(self) -> None:
        """End the session."""
        await self._session.close()

    # Session's owner

    def fail(self, error: AllibeError) -> None:
        """Send the error, then close."""
        self._tell(error, None)
        self._connection.disconnect(disconnect_for(error))

    def on_event(self, event: UserEvent) -> None:
        """Send notifications of other rooms; lists of rooms are for HTTP and STOMP."""
        if isinstance(event, Notification):
            self._connection.outbox.write(text_frame(_encode(event)))

    def on_revoked(self, subscription: RoomSubscription) -> None:
        """The one room of this connection is gone, and so is its purpose."""
        if subscription.stream == _LOG:
            self.fail(NotAMember())

    def on_log_reset(self) -> None:
        """Let the client come back: it will be told that it could not recover."""
        self._connection.disconnect(disconnects.LOG_RESET)

    # Requests

    async def _join(self) -> None:
        identity = self._session.require_identity()
        room_id = checked_room_id(self._room_text)
        view = _DEFLATED_VIEW if self._connection.deflated else JSON_VIEW
        log = RoomSubscription(_LOG, room_id, "log", view)
        joined = await self._session.subscribe(log, self._since())
        await self._session.subscribe(RoomSubscription(_ACTIVITY, room_id, "activity", view))
        self._room = room_id
        if joined is not None:
            self._write(_joined_out(joined, identity.user_id))

    async def _refresh(self, request: RefreshIn) -> None:
        await self._session.sign_in(request.token)
        if self._room is not None:
            self._write(PongOut())
            return
        try:
            await self._join()
        except AllibeError as error:
            self.fail(error)

    async def _post(self, request: MessageIn) -> None:
        await self._session.post(
            self._room_of(request),
            request.content,
            settled=self._posted,
            client_message_id=request.client_message_id,
            sender=request.sender,
        )

    def _posted(self, command: PostMessage, future: Posted) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self._write(_ack_out(command, future.result()))
        elif isinstance(error, AllibeError):
            self._tell(error, command.client_message_id)

    async def _do(self, request: LeaveIn | TypingIn | ReadIn) -> None:
        room_id = self._room_of(request)
        if isinstance(request, TypingIn):
            await self._session.typing(room_id, request.user)
        elif isinstance(request, ReadIn):
            await self._session.read(room_id, request.offset)
        else:
            await self._session.leave(room_id, request.user)
            user = self._session.require_identity().user_id
            await self.settled()
            self._write(LeftOut(room_id, user))
            self._connection.disconnect(disconnects.NORMAL)

    def _room_of(self, request: In) -> RoomId:
        self._session.require_identity()
        if self._room is None:
            raise BadRequest("The room is not open yet.")
        if request.room_id is not None and request.room_id != self._room:
            raise BadRequest("This connection is for another room.")
        return self._room

    def _since(self) -> Position | None:
        if not self._since_text:
            return None
        position = Position.parse(self._since_text)
        if position is None:
            raise BadRequest("since is not <roomId>.<epoch>.<offset>.")
        return position

    # Replies

    def _tell(self, error: AllibeError, client_message_id: str | None) -> None:
        self._shared.metrics.errors.labels(error.code).inc()
        note("error_told", self._connection.id, self.user, code=error.code)
        self._write(
            ErrorOut(
                error.code,
                error.message,
                error.retryable,
                error.retry_after_ms,
                client_message_id,
            )
        )

    def _write(self, body: Out) -> None:
        self._connection.outbox.write(text_frame(_encode(body)))


def _joined_out(joined: Joined, user: UserId) -> JoinedOut:
    position = joined.position
    return JoinedOut(position.room_id, user, position.epoch, position.offset, joined.recovered)


def _ack_out(command: PostMessage, stored: Stored | None) -> AckOut:
    if stored is None:
        return AckOut(command.room_id, command.message_id, command.client_message_id)
    message = stored.message
    return AckOut(message.room_id, message.message_id, message.client_message_id, message.offset)
