"""The table of docs/limits.md: what each limit of `rates.policy` counts, and what is beyond it."""

from allibe_services.contracts import disconnects
from allibe_services.contracts.errors import (
    Overloaded,
    RateLimited,
    TokenRequired,
    TooManySubscriptions,
)
from allibe_services.rates.policy import Limit
from allibe_services.settings import Settings
from scripts.markdown import table, variable

_LIMITED = (
    f"`{RateLimited.code}`, 429; STOMP closes with {disconnects.RATE_LIMITED.code}, or tells softly"
)
_OVERLOADED = f"`{Overloaded.code}`, closed with {disconnects.OVERLOADED.code}; HTTP 503"
_SLOWED = (
    "the server stops reading for a moment; for more than 10 s:"
    f" `{RateLimited.code}`, closed with {disconnects.RATE_LIMITED.code}"
)
_PER_SECOND = "a second / at once"

RATES: dict[Limit, tuple[str, str, str, str]] = {
    "user_messages": (
        "messages of a user, in all rooms, over all doors",
        "limit_user_messages",
        _PER_SECOND,
        _LIMITED,
    ),
    "room_messages": (
        "messages of all users in a room",
        "limit_room_messages",
        _PER_SECOND,
        _LIMITED,
    ),
    "slow_mode": (
        "time between two messages of a user in a room",
        "limit_slow_mode",
        "seconds",
        _LIMITED,
    ),
    "user_requests": (
        "HTTP requests of a user, whatever they ask for",
        "limit_user_requests",
        _PER_SECOND,
        f"HTTP 429 `{RateLimited.code}`",
    ),
    "connection_frames": (
        "frames that a connection sends; a ping, or a message without a whole frame, is one too",
        "limit_connection_frames",
        _PER_SECOND,
        _SLOWED,
    ),
    "connection_bytes": (
        "bytes that a connection sends",
        "limit_connection_bytes",
        _PER_SECOND,
        _SLOWED,
    ),
    "subscriptions": (
        "subscriptions to rooms on a connection",
        "subscriptions_per_connection",
        "subscriptions",
        f"`{TooManySubscriptions.code}`",
    ),
    "user_connections": (
        "connections of a user that are signed in",
        "limit_user_connections",
        "connections",
        f"`{RateLimited.code}`, closed with {disconnects.RATE_LIMITED.code}",
    ),
    "address_connections": (
        "connections from an IPv4 address, or an IPv6 network of 64 bits",
        "limit_address_connections",
        "connections",
        f"`{RateLimited.code}`, closed with {disconnects.RATE_LIMITED.code}; HTTP 429",
    ),
    "unsigned_connections": (
        "connections of a process on which nobody has signed in yet",
        "limit_unsigned_connections",
        "connections",
        _OVERLOADED,
    ),
    "new_connections": (
        "connections that a process takes",
        "limit_new_connections",
        _PER_SECOND,
        _OVERLOADED,
    ),
    "sign_in": (
        "time until a connection brings a token",
        "sign_in_seconds",
        "seconds",
        f"`{TokenRequired.code}`, closed with {disconnects.TOKEN_REQUIRED.code}",
    ),
}
"""What the policy leaves to those who use it: what each limit counts, and what happens beyond."""


def rates() -> str:
    """Return the table of what is too much or too often: docs/limits.md."""
    return table(
        ("name", "what", "setting", "default", "unit", "beyond it"),
        (
            (f"`{limit}`", what, variable(setting), _default(setting), unit, beyond)
            for limit, (what, setting, unit, beyond) in RATES.items()
        ),
    )


def _default(name: str) -> str:
    return f"`{getattr(Settings(), name)}`"
