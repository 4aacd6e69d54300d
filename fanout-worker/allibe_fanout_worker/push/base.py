"""A push, what became of a try to send it, and the shape of what sends."""

import hashlib
import re
from base64 import urlsafe_b64encode
from enum import StrEnum
from typing import Protocol

import msgspec

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.push import PushReason

TTL_SECONDS = 28 * 24 * 3600
"""Longest life of a push: what the large push services keep one for at most."""

_PUSH_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII).fullmatch
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII).fullmatch


class Urgency(StrEnum):
    """How soon a device must wake for it (RFC 8030 §5.3)."""

    VERY_LOW = "very-low"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One notification of one room for one user, whichever way it goes.

    `push_id` is the same in every try, so that a receiver can tell a repeat, and another where it
    tells of more: of the room up to `offset`. `messages` have come that the user has not heard of;
    `body` is the newest one's text, "" where it is not to be shown. A push service drops it after
    `ttl` seconds, and keeps only the newest of a `topic` (RFC 8030 §5.2, §5.4). Raises
    `ValueError`.
    """

    push_id: str
    user: UserId
    room_id: RoomId
    offset: int
    title: str
    body: str
    messages: int
    unread_count: int
    ttl: int
    urgency: Urgency = Urgency.NORMAL
    topic: str | None = None

    def __post_init__(self) -> None:
        if _PUSH_ID(self.push_id) is None:
            raise ValueError("a push id is 1 to 64 of A-Z, a-z, 0-9, _ and -")
        if not 0 <= self.ttl <= TTL_SECONDS:
            raise ValueError(f"a ttl is 0 to {TTL_SECONDS} seconds")
        if self.topic is not None and _TOPIC(self.topic) is None:
            raise ValueError("a topic is 1 to 32 of the base64url alphabet")


class Delivered(msgspec.Struct, frozen=True):
    """The other side has taken it."""

    reason: PushReason = PushReason.SENT


class Gone(msgspec.Struct, frozen=True):
    """The subscription has ended: delete it (RFC 8030 §7.3)."""

    reason: PushReason = PushReason.GONE


class RetryAfter(msgspec.Struct, frozen=True):
    """Not now; not again before `seconds` have passed."""

    seconds: float
    reason: PushReason


class Failed(msgspec.Struct, frozen=True):
    """Not taken; `retryable` tells whether the same may succeed later."""

    retryable: bool
    reason: PushReason


Outcome = Delivered | Gone | RetryAfter | Failed


class PushProvider(Protocol):
    """Sends to one place."""

    @property
    def service(self) -> str:
        """Whom it asks: those with the same one are slow together. An origin."""
        ...

    async def send(self, push: Push) -> Outcome:
        """Try once, within seconds; return what became of it. Raises nothing of its own."""
        ...


def topic_of(room_id: RoomId) -> str:
    """Return the topic of a room's pushes: the newest replaces those that still wait."""
    return urlsafe_b64encode(hashlib.sha256(room_id.encode()).digest()[:24]).decode()
