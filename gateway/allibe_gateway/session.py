"""One user on one connection: what may be done, and what has been done.

Knows no wire protocol: doors translate. Every call raises `AllibeError`s that doors tell the
client, and nothing else.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

from allibe_gateway.fanout.outbox import Outbox
from allibe_gateway.fanout.room_feed import Joined
from allibe_gateway.memberships import Memberships
from allibe_gateway.shared import Shared
from allibe_gateway.subscriptions import RoomSubscription, Subscriptions
from allibe_gateway.trail import note
from allibe_services.auth import Identity
from allibe_services.bus.base import Posted
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.content import check_content, checked_room_id
from allibe_services.contracts.errors import (
    AllibeError,
    BadRequest,
    NotAllowed,
    NotConfirmed,
    SenderMismatch,
    TokenExpired,
    TokenRequired,
    TokenRevoked,
)
from allibe_services.contracts.events import (
    MemberRead,
    RoomChanged,
    RoomLeft,
    ScreenLeft,
    Typing,
    UserEvent,
)
from allibe_services.contracts.ids import (
    Position,
    RoomId,
    UserId,
    is_client_message_id,
    new_message_id,
)
from allibe_services.contracts.messages import now
from allibe_services.presence.base import Lease

Settled = Callable[[PostMessage, Posted], None]
"""Hears what became of a message."""

TYPING_SECONDS = 1.0
"""A connection's typing is shown once in so long, in whatever room: more often nobody sees, and a
flood would cost everybody."""


class Owner(Protocol):
    """The door that a session belongs to."""

    def fail(self, error: AllibeError) -> None:
        """Tell the client, then close."""
        ...

    def on_event(self, event: UserEvent) -> None:
        """Tell the client what concerns its user."""
        ...

    def on_revoked(self, subscription: RoomSubscription) -> None:
        """The subscription has ended because the user is no longer a member."""
        ...

    def on_log_reset(self) -> None:
        """Let the client start again: what it has of a room means nothing any more."""
        ...


class Session:
    """See the module. `connection_id` names the connection in presence; `visible`: see `show`."""

    __slots__ = (
        "_idle",
        "_in_flight",
        "_memberships",
        "_owner",
        "_shared",
        "_token",
        "_typed",
        "connection_id",
        "identity",
        "subscriptions",
        "visible",
    )

    def __init__(self, connection_id: str, shared: Shared, outbox: Outbox, owner: Owner) -> None:
        self.connection_id = connection_id
        self.identity: Identity | None = None
        self.visible = True
        self.subscriptions = Subscriptions(shared, outbox, self._report)
        self._shared = shared
        self._owner = owner
        self._token = 0
        self._typed: float | None = None
        self._memberships = Memberships(shared.roles)
        self._in_flight = 0
        self._idle: asyncio.Event | None = None
        self._expect_token()

    # Identity

    async def sign_in(self, token: str) -> Identity:
        """Take a token: the first one says who this is, a later one may extend it.

        Raises as `TokenVerifier.verified`, `NotAllowed` for another user's token, `RateLimited`
        for a user with too many connections, and `Unavailable`: nobody is signed in without the
        user's events.
        """
        if hash(token) == self._token and self.identity is not None:
            return self.require_identity()  # the same again, as each SEND brings it
        identity = await self._shared.verifier.verified(token)
        await self._admit(identity)
        self._token = hash(token)  # not the token: it is a secret, and long
        return identity

    async def redeem(self, ticket: str) -> Identity:
        """Take a ticket in the place of the token that it was issued for. Raises as `sign_in`."""
        identity = await self._shared.tickets.redeem(ticket)
        await self._admit(identity)
        return identity

    def require_identity(self) -> Identity:
        """Return who this is. Raises `TokenRequired`, `TokenExpired`."""
        if self.identity is None:
            raise TokenRequired
        if self._shared.clock() >= self.identity.expires_at:
            raise TokenExpired
        return self.identity

    @property
    def user(self) -> UserId | None:
        """Who this is, once that is known: for logs."""
        return None if self.identity is None else self.identity.user_id

    # Rooms

    async def subscribe(
        self, subscription: RoomSubscription, since: Position | None = None
    ) -> Joined | None:
        """Begin a subscription; for the log, after replaying what follows `since`.

        Raises `NotAMember`, `UnknownRoom`, `Conflict` (id in use), `TooManySubscriptions`,
        `Unavailable`.
        """
        user_id, room_id = self.require_identity().user_id, subscription.room_id
        if subscription.stream == "activity" and room_id in self.subscriptions.rooms_on_screen():
            # Ends with that of the log, which was confirmed: many come back at once with both.
            await self._memberships.check(room_id, user_id)
        else:
            await self._memberships.confirm(room_id, user_id)
        joined = await self.subscriptions.begin(subscription, since)
        note("subscribed", self.connection_id, user_id, room=room_id, stream=subscription.stream)
        return joined

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription; an unknown id is no error (it may have ended by itself)."""
        self.subscriptions.end(subscription_id)

    async def post(
        self,
        room_id: str,
        content: str,
        *,
        settled: Settled,
        client_message_id: str | None = None,
        sender: str | None = None,
    ) -> None:
        """Post a message; `settled` hears what became of it.

        Waits while too much of this connection is in flight. Raises what is wrong with it.
        """
        identity = self._checked_sender(sender)
        room = checked_room_id(room_id)
        check_content(content)
        if client_message_id is not None and not is_client_message_id(client_message_id):
            raise BadRequest("A clientMessageId is 1 to 64 printable ASCII characters.")
        if self._in_flight >= self._shared.limits.in_flight:
            await self.settled(self._shared.limits.in_flight - 1)
            self.require_identity()
        if not self._memberships.knows(room):  # after the wait, which may outlast a membership
            await self._check_member(room)
        self._shared.limiter.post(identity.user_id, room)
        command = PostMessage(
            message_id=new_message_id(),
            room_id=room,
            sender=identity.user_id,
            content=content,
            sent_at=now(),
            sender_name=identity.name,
            client_message_id=client_message_id,
        )
        future = self._shared.bus.post(command)
        self._in_flight += 1
        future.add_done_callback(partial(self._settle, settled, command))
        self._shared.metrics.messages_in.inc()
        message = command.message_id
        note("message_posted", self.connection_id, identity.user_id, room=room, message=message)

    async def typing(self, room_id: str, user: str | None = None) -> None:
        """Let others see that the user types."""
        identity = self._checked_sender(user)
        room = checked_room_id(room_id)
        await self._check_member(room)
        if self._typed_just_now():
            return
        typing = Typing(room_id=room, user=identity.user_id, user_name=identity.name)
        await self._shared.bus.publish([typing])

    async def read(self, room_id: str, offset: int) -> None:
        """Move the user's read marker; the user's other devices and the room hear of it."""
        identity = self.require_identity()
        room = checked_room_id(room_id)
        if offset < 0:
            raise BadRequest("An offset is 0 or more.")
        marker = await self._shared.store.members.mark_read(room, identity.user_id, offset)
        if marker.moved:
            user = identity.user_id
            read = MemberRead(room_id=room, user=user, offset=marker.offset)
            changed = RoomChanged(to=user, room_id=room, unread_count=marker.unread_count)
            await self._shared.bus.publish([read, changed])

    async def acknowledge(self, position: Position) -> None:
        """Move the read marker to a message that this connection was handed.

        One of another epoch, or of a subscription that is over, changes nothing: it was true
        when it was sent.
        """
        subscribed = position.room_id in self.subscriptions.rooms_on_screen()
        if subscribed and self._shared.hub.is_current(position):
            await self.read(position.room_id, position.offset)

    async def leave(self, room_id: str, user: str | None = None) -> None:
        """Leave the room's screen: its subscriptions end here, others are told."""
        identity = self._checked_sender(user)
        room = checked_room_id(room_id)
        await self._check_member(room)
        for subscription in self.subscriptions.of_room(room):
            self.subscriptions.end(subscription.id)
        await self._shared.bus.publish([ScreenLeft(room_id=room, user=identity.user_id)])

    def show(self, *, visible: bool) -> None:
        """Take notice that the client's window is seen, or hidden: then no room is looked at.

        A connection is taken for visible until it is told. Raises `TokenRequired`, `TokenExpired`.
        """
        self.require_identity()
        if visible != self.visible:
            self.visible = visible
            for room_id in self.subscriptions.rooms_on_screen():
                self._report(room_id)

    # Endings

    async def settled(self, most: int = 0) -> None:
        """Wait until at most so many messages are in flight. Raises `NotConfirmed` after long."""
        try:
            async with asyncio.timeout(self._shared.limits.receipt_seconds):
                while self._in_flight > most:
                    self._idle = self._idle or asyncio.Event()
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            raise NotConfirmed from None

    async def close(self) -> None:
        """End all subscriptions and the user's presence on this connection."""
        self._shared.deadlines.drop(self)
        for subscription_id in self.subscriptions.ids():
            self.subscriptions.end(subscription_id)
        self._shared.presence.ended(self.connection_id)
        if self.identity is not None:
            self._detach(self.identity.user_id)

    def lease(self) -> Lease | None:
        """Return what presence should know (`Present`)."""
        if self.identity is None:
            return None
        rooms = tuple(sorted(self.subscriptions.rooms_on_screen())) if self.visible else ()
        return Lease(self.connection_id, self.identity.user_id, rooms)

    def rooms(self) -> set[RoomId]:
        """Return the rooms that this connection subscribes to (`UserListener`)."""
        return self.subscriptions.rooms()

    # What the hub hands in (`UserListener`)

    def on_user_event(self, event: UserEvent) -> None:
        """Take an event of this user; a lost membership ends its subscriptions."""
        if isinstance(event, RoomLeft):
            self._memberships.forget(event.room_id)
            for subscription in self.subscriptions.of_room(event.room_id):
                if self.subscriptions.revoke(subscription):
                    self._owner.on_revoked(subscription)
        self._owner.on_event(event)

    def on_log_reset(self, room_id: RoomId) -> None:
        """Start again if this connection listens to the room."""
        if self.subscriptions.of_room(room_id):
            self._owner.on_log_reset()

    def on_revocations(self) -> None:
        """End the connection if its token is among those that were just revoked."""
        try:
            if self.identity is not None:
                self._shared.verifier.check(self.identity)
        except TokenRevoked as error:
            self._owner.fail(error)
        except AllibeError:
            return  # over: its deadline says so

    # When its time has come (`deadlines.Owner`)

    def on_deadline(self, error: type[AllibeError]) -> None:
        """End the connection: nobody signed in, or the token is over."""
        if error is not TokenRequired or self._shared.limiter.exceeds("sign_in"):
            self._owner.fail(error())

    # Details

    async def _admit(self, identity: Identity) -> None:
        """Let an identity in, if it still stands once nothing can be missed any more."""
        before = self.identity
        if before is None:
            await self._attach(identity)
        elif before.user_id != identity.user_id:
            raise NotAllowed("The token is of another user.")
        try:
            # A ticket is looked at only here. A token may have been revoked while the bus was
            # asked: who is not attached is not told.
            self._shared.verifier.check(identity)
        except AllibeError:
            if before is None:
                self._detach(identity.user_id)
                self._expect_token()
            raise
        if before is None:
            self.identity = identity
            note("signed_in", self.connection_id, identity.user_id)
            self._report()
        elif identity.expires_at > before.expires_at:
            self.identity = identity
            self._shared.deadlines.set(self, identity.expires_at, TokenExpired)

    def _expect_token(self) -> None:
        until = self._shared.clock() + self._shared.limits.sign_in_seconds
        self._shared.deadlines.set(self, until, TokenRequired)

    async def _attach(self, identity: Identity) -> None:
        """Count the connection as the user's, and be told what concerns the user.

        However long the bus takes, the token was shown in time: in a reconnect storm it takes long.
        """
        self._shared.limiter.sign_in(identity.user_id)
        self._shared.deadlines.set(self, identity.expires_at, TokenExpired)
        try:
            await self._shared.hub.attach(identity.user_id, self)
        except BaseException:
            self._shared.limiter.sign_out(identity.user_id)
            self._expect_token()
            raise

    def _detach(self, user_id: UserId) -> None:
        self._shared.hub.detach(user_id, self)
        self._shared.limiter.sign_out(user_id)

    def _typed_just_now(self) -> bool:
        now, last = asyncio.get_running_loop().time(), self._typed
        if last is not None and now - last < TYPING_SECONDS:
            return True
        self._typed = now
        return False

    async def _check_member(self, room_id: RoomId) -> None:
        await self._memberships.check(room_id, self.require_identity().user_id)

    def _checked_sender(self, sender: str | None) -> Identity:
        identity = self.require_identity()
        if sender is not None and sender != identity.user_id:
            raise SenderMismatch
        return identity

    def _settle(self, settled: Settled, command: PostMessage, future: Posted) -> None:
        self._in_flight -= 1
        if self._idle is not None:
            self._idle.set()
        settled(command, future)

    def _report(self, room_id: RoomId | None = None) -> None:
        self._shared.presence.changed(self.connection_id, self, room_id)
