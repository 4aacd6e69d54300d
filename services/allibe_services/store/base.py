"""The store: rooms, members, each room as a log of messages with offsets 1, 2, 3 …, revocations.

Every call is one transaction and has a time limit. When the database is away, locked or full,
any call raises `StoreUnavailable` (retryable) and nothing has changed. One exception: a write that
overran its time limit, or whose caller was cancelled, may still be committed afterwards. `append`,
`mark_read` and `revoke` may simply be repeated; after a repeated `create`, `add` or `remove`,
`Conflict` or `UnknownMember` can mean that the first one succeeded.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from allibe_services.contracts.commands import Outcome, PostMessage
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.notifications import (
    DeadPush,
    Decision,
    NotificationSettings,
    QuietHours,
)
from allibe_services.contracts.push import Subscription
from allibe_services.contracts.push_queue import DuePush, NewsPage, PushClaim, PushEnd, Scheduling
from allibe_services.contracts.revocations import Kind, Revocation
from allibe_services.contracts.rooms import Head, Member, ReadMarker, Role, Room, Unread

OWN_COUNTED = 10_000
"""Most messages of a member's own that an unread count leaves out.

Whoever posts without ever reading would else make each count slower than the last; a count over
so many takes about a millisecond.
"""

MOST_REVOCATIONS = 100_000
"""Most that live at once: each process that verifies tokens holds them all, in some 20 MB."""

MOST_SUBSCRIPTIONS = 20
"""Browsers of a user that are pushed to; of more, those that subscribed first are forgotten."""

DECISIONS_KEPT = timedelta(days=1)
"""How long it is kept why a user was, or was not, pushed something."""

DEAD_KEPT = timedelta(days=7)
MOST_DEAD = 100_000
"""How long a push that ended undeliverable is shown, and how many are at most: some 30 MB."""

PUSH_LIFE = timedelta(days=1)
"""How long a push is of use; and how long it is remembered that a user was told."""


class RoomLog(Protocol):
    """Each room's messages, in the one order that everybody sees."""

    async def append(self, commands: Sequence[PostMessage]) -> list[Outcome]:
        """Store the commands' messages; return one outcome for each, in order.

        All or nothing, and durable on return. Per room the messages get the offsets that follow
        `last_offset`, in the order given. A command whose `messageId`, or whose (sender,
        clientMessageId), is in the room's log already, or twice in this call, is not stored again:
        its outcome is the stored message with `duplicate`. An unknown room, or data that the
        database refuses, is `Rejected`, without harm to the others. A `messageId` of another room's
        log, which nobody makes, is `Rejected` or stored; the other message never shows.
        The room's last message and last offset move in the same transaction.
        """
        ...

    async def after(self, room_id: RoomId, offset: int, *, most: int) -> list[Message]:
        """Return up to `most` messages after an offset, oldest first; empty for an unknown room.

        The first is the one right after the offset, unless that one was pruned: then it is the
        oldest that is left.
        """
        ...

    async def before(self, room_id: RoomId, offset: int | None, *, most: int) -> list[Message]:
        """Return the up to `most` messages right before an offset (None: the newest ones).

        Oldest first.
        """
        ...

    async def heads(self, room_ids: Collection[RoomId]) -> dict[RoomId, Head]:
        """Return where the logs of these rooms end and begin; unknown rooms are left out."""
        ...


class Rooms(Protocol):
    """Rooms, as their members see them."""

    async def create(
        self, name: str, owner: UserId, *, members: Collection[UserId] = (), room_id: RoomId
    ) -> Room:
        """Create a room with its owner and further members; return it as the owner sees it.

        Raises `Conflict` when the id is taken, `BadRequest` for a name that no room may have. The
        room's log starts empty under a new epoch.
        """
        ...

    async def get(self, room_id: RoomId, user_id: UserId) -> Room:
        """Return a room as the user sees it. Raises `UnknownRoom`, `NotAMember`."""
        ...

    async def of_user(
        self, user_id: UserId, *, most: int, after: tuple[datetime, RoomId] | None = None
    ) -> list[Room]:
        """Return the user's rooms, the latest activity first.

        Activity is the last message's time, or the creation; equal times are sorted by room id.
        `after` is the activity and id of the last room of the page before.
        """
        ...


class Members(Protocol):
    """Who belongs to a room, in which role, and how far they have read."""

    async def role(self, room_id: RoomId, user_id: UserId) -> Role:
        """Return the user's role. Raises `UnknownRoom`, `NotAMember`."""
        ...

    async def roles(
        self, pairs: Collection[tuple[RoomId, UserId]]
    ) -> dict[tuple[RoomId, UserId], Role]:
        """Return the roles of those who are members, any number of rooms and users in one read."""
        ...

    async def of_room(
        self, room_id: RoomId, *, most: int, after: UserId | None = None
    ) -> list[Member]:
        """Return members sorted by user id, `after` that one; empty for an unknown room."""
        ...

    async def among(self, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
        """Return those of the users who are members of the room."""
        ...

    async def add(self, room_id: RoomId, user_id: UserId, role: Role) -> Member:
        """Make the user a member who has read all so far. Raises `UnknownRoom`, `Conflict`.

        An empty room takes only an owner (`Conflict`).
        """
        ...

    async def change_role(self, room_id: RoomId, user_id: UserId, role: Role) -> Member:
        """Give a member another role.

        Raises `UnknownRoom`, `UnknownMember`, and `Conflict` where it would leave no owner.
        """
        ...

    async def remove(self, room_id: RoomId, user_id: UserId) -> None:
        """End a membership.

        Raises `UnknownRoom`, `UnknownMember`, and `Conflict` where members would be left
        without an owner.
        """
        ...

    async def mark_read(self, room_id: RoomId, user_id: UserId, offset: int) -> ReadMarker:
        """Move the user's read marker forward, at most to the end of the log; never back.

        `moved` tells whether it moved. Raises `UnknownRoom`, `NotAMember`.
        """
        ...

    async def unread(
        self, after: Mapping[RoomId, UserId | None], *, most: int
    ) -> dict[RoomId, list[Unread]]:
        """Return unread counts of up to `most` members of each room.

        Sorted by user id, after the one that is given for the room, or from the first.

        Unread are the messages after the read marker that the member did not send. Of the
        member's own ones the first `OWN_COUNTED` are left out, there and wherever an unread count
        is told; further ones count as if another had sent them.
        """
        ...


class Revocations(Protocol):
    """Users and tokens that are refused before their time."""

    async def revoke(self, kind: Kind, subject: str, *, expires_at: datetime) -> Revocation:
        """Revoke now, until `expires_at`; the same may be revoked again, which then counts.

        It is then kept until the later of both ends. Raises `Overloaded` where `MOST_REVOCATIONS`
        live. What is over is forgotten. With a user, so are the user's push subscriptions.
        """
        ...

    async def after(self, number: int, *, most: int) -> tuple[int, list[Revocation]]:
        """Return the number of the last revocation, and up to `most` after a number, in order.

        Only those that live. None that was committed later has a smaller number than one that
        was returned: who goes on from the last one misses nothing. A last number below what was
        seen means another database: begin at 0.
        """
        ...


class Pushes(Protocol):
    """Where users' browsers are reached. All calls may be repeated."""

    async def subscribe(self, user: UserId, subscription: Subscription) -> None:
        """Keep a subscription as this user's, newest now.

        An endpoint is one browser and has one user: another user's subscription to it is over.
        Beyond `MOST_SUBSCRIPTIONS` of a user the oldest are forgotten. Raises `Conflict` where
        another user has the endpoint under another secret: then it is no browser of this one's.
        """
        ...

    async def renew(self, endpoint: str, auth: str, new: Subscription) -> UserId | None:
        """Put a subscription in the place of the one with that endpoint and secret; same user.

        Return whose it is; None, and nothing is changed, where there is no such one: whether it is
        the endpoint or the secret is not told. Where the new endpoint is known already the old one
        is forgotten, and the new one stays whose it is.
        """
        ...

    async def unsubscribe(self, user: UserId, endpoint: str) -> None:
        """Forget a subscription of this user's; an unknown one, or another user's, is ignored."""
        ...

    async def subscriptions(self, user: UserId) -> list[Subscription]:
        """Return the user's subscriptions, the newest first; at most `MOST_SUBSCRIPTIONS`."""
        ...


class Notifications(Protocol):
    """What users want to be told, and why they were or were not. All calls may be repeated."""

    async def settings(self, user: UserId) -> NotificationSettings:
        """Return what the user wants; the defaults for an unknown user."""
        ...

    async def change_settings(
        self, user: UserId, *, quiet_hours: QuietHours | None
    ) -> NotificationSettings:
        """Put these quiet hours (None: none) in the place of the former ones.

        Return what the user wants now. What waited for the end of the former ones is looked at
        again within seconds.
        """
        ...

    async def mute(self, user: UserId, room_id: RoomId, until: datetime | None) -> None:
        """Push nothing of the room to the user until then, or (None) until further notice.

        It ends with the membership. Raises `UnknownRoom`, `NotAMember`.
        """
        ...

    async def unmute(self, user: UserId, room_id: RoomId) -> None:
        """End that; of a room that is not muted too. Raises `UnknownRoom`, `NotAMember`."""
        ...

    async def decisions(
        self, user: UserId, *, most: int = 1000, after: Decision | None = None
    ) -> list[Decision]:
        """Return why the user was, or was not, pushed something within `DECISIONS_KEPT`.

        The newest first; of a room and a reason only the last. Equal times are sorted by room id
        and reason. `after` is the last one of the page before.
        """
        ...

    async def dead(self, *, most: int, after: DeadPush | None = None) -> list[DeadPush]:
        """Return all users' pushes that ended undeliverable within `DEAD_KEPT`, the newest first.

        One for each way. Of more than `MOST_DEAD` the oldest are forgotten. `after` is the last
        one of the page before.
        """
        ...


class PushQueue(Protocol):
    """Pushes that wait until they are due: one of each user and room at most.

    A room's members are accounted for in rounds, page by page, each page once: rooms remember how
    far they have come. Users have turns: one at a time, for one push.
    """

    async def page(self, room_id: RoomId, *, most: int) -> NewsPage | None:
        """Return the next page of the room's round, or of a new one where there is news.

        None: every member is accounted for up to the log's end, or there is no such room.
        """
        ...

    async def schedule(
        self, page: NewsPage, decided: Sequence[Scheduling], *, expires_at: datetime
    ) -> bool:
        """Keep what was decided for candidates of a page, in order; the room goes on behind it.

        All or nothing: False, and nothing changed, if the room has gone on already. A push that
        waits stays as it is: it will tell of the news as well. One that has told of the news is
        not scheduled again. Whoever is left out is accounted for by what there is.
        """
        ...

    async def behind(
        self, after: RoomId | None, *, most: int, since: datetime, until: datetime
    ) -> tuple[list[RoomId], RoomId | None]:
        """Return which of the next `most` rooms have news whose members are not accounted for.

        Their last message is from after `since`, up to `until`. And the last room that was looked
        at, to go on after; None at the end.
        """
        ...

    async def claim(self, *, most: int, length: timedelta) -> PushClaim:
        """Claim users whose turn has come, at most so many; nobody else gets them for that long."""
        ...

    async def due(self, users: Sequence[UserId]) -> list[DuePush]:
        """Return the next push of each of the users that has one due, with all that matters now.

        One that is tried again comes first.
        """
        ...

    async def end(self, ends: Sequence[PushEnd], *, newer_at: datetime) -> None:
        """Keep how turns ended. One whose claim another has taken over changes no push.

        A push that is over while the room has gone beyond it is due for the rest at `newer_at`.
        """
        ...

    async def forget(self, *, most: int) -> int:
        """Forget some decisions and dead pushes that are old, up to `most` of each.

        Return how many were found of what there was more of.
        """
        ...


class Store(Protocol):
    """The parts over one database."""

    @property
    def log(self) -> RoomLog: ...

    @property
    def rooms(self) -> Rooms: ...

    @property
    def members(self) -> Members: ...

    @property
    def revocations(self) -> Revocations: ...

    @property
    def pushes(self) -> Pushes: ...

    @property
    def notifications(self) -> Notifications: ...

    @property
    def push_queue(self) -> PushQueue: ...

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless the database answers and its schema is current."""
        ...

    async def close(self) -> None:
        """Finish what runs, close all connections."""
        ...
