"""Scheduled pushes, as the store keeps them and the worker decides on them.

A room's news are gone through member by member, in pages; each member is accounted for by a
`PushReason`. Whoever is to be pushed has one row per room, which waits until it is due.
"""

from datetime import datetime

import msgspec

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.notifications import QuietHours
from allibe_services.contracts.push import PushReason, Subscription

WEBHOOK = "webhook"
"""Stands where a subscription's id would: no hash is as short."""


class Candidate(msgspec.Struct, frozen=True):
    """A member of a room with news."""

    user: UserId
    read_offset: int
    is_muted: bool
    is_subscribed: bool
    """Whether a browser of theirs is known."""
    is_waiting: bool = False
    """Whether a push waits that will tell of this news as well."""


class NewsPage(msgspec.Struct, frozen=True):
    """Some members of a room, sorted by user id, and the news they are to be accounted for by.

    These are the messages after `offset`, up to `target`. `started` and `after_user` say what the
    page goes on from. `sole_sender` has sent all of them, if one user has.
    """

    room_id: RoomId
    offset: int
    target: int
    started: int
    after_user: str
    is_last: bool
    sole_sender: UserId | None
    candidates: list[Candidate]


class Scheduling(msgspec.Struct, frozen=True):
    """What was decided for one member; with `due_at` they are to be pushed."""

    user: UserId
    reason: PushReason
    due_at: datetime | None = None


class PushClaim(msgspec.Struct, frozen=True):
    """Users whose turn it is, and whom nobody else pushes to until the claim's end.

    `late_seconds` is for how long the one of them had been due that had waited longest.
    """

    claim: str
    users: tuple[UserId, ...]
    late_seconds: float = 0.0


class Browser(msgspec.Struct, frozen=True):
    """A subscription with the id that it is kept under."""

    subscription_id: str
    subscription: Subscription


class DuePush(msgspec.Struct, frozen=True, kw_only=True):
    """One user's push of one room, with all that decides whether it is sent, as of now.

    It tells of the messages from `first_offset` to `told_offset`; `messages` of them are unread and
    from others. `newest` is the last one's text, with its sender; None where the user has sent it.
    `done` are subscriptions that need no further try. `free_at`: when the user's rate allows all
    that it ever allows. Pushes of the user's that the webhook is to get first wait until
    `webhook_after`; None: there are none.
    """

    user: UserId
    room_id: RoomId
    push_id: str
    room_name: str
    first_offset: int
    told_offset: int
    expires_at: datetime
    tries: int
    done: frozenset[str]
    is_member: bool
    is_muted: bool
    messages: int
    unread_count: int
    newest: tuple[str, str] | None
    quiet_hours: QuietHours | None
    free_at: datetime
    browsers: tuple[Browser, ...]
    webhook_after: datetime | None = None


class DeadWay(msgspec.Struct, frozen=True):
    """A way over which a push is undeliverable: `reason` ended it, `last` is what came last.

    `way` is a subscription's id or `WEBHOOK`; with `service`, an origin, empty for a push that
    was too late for any.
    """

    reason: PushReason
    last: PushReason
    way: str = ""
    service: str = ""


class PushEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a turn. Without `push` there was nothing to push.

    `again_at`: the push waits until then, with these `tries` and `done`; None: it is over. With
    `gives_way` it is over too if there is news to push in its place, which tells of both as long as
    nothing is `done`. Nothing of the user's is due before `held_until`. `gone` are subscriptions to
    be forgotten. `dead` are ways that it has not reached and will not.
    """

    user: UserId
    claim: str
    push: DuePush | None = None
    again_at: datetime | None = None
    gives_way: bool = False
    tries: int = 0
    done: frozenset[str] = frozenset()
    held_until: datetime | None = None
    free_at: datetime | None = None
    gone: tuple[str, ...] = ()
    dead: tuple[DeadWay, ...] = ()
    reasons: tuple[PushReason, ...] = ()
