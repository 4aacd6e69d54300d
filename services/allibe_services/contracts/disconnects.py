"""The one table of forced closes: WebSocket close code, reason, and what the client should do.

Clients mirror it. `reconnect` says whether to come back by oneself, `delay_ms` how long to wait
at least (clients add jitter), `new_token` whether a fresh token is needed first. Codes 4000 to
4999 are for applications (RFC 6455 §7.4.2); of the others only 1000, 1007, 1009, 1011,
1012 and 1013 are used, in their registered meaning.
"""

import msgspec


class Disconnect(msgspec.Struct, frozen=True):
    """One way in which the server ends a connection."""

    code: int
    reason: str
    reconnect: bool
    delay_ms: int = 0
    new_token: bool = False


NORMAL = Disconnect(1000, "bye", reconnect=False)
INVALID_TEXT = Disconnect(1007, "text is not UTF-8", reconnect=False)
MESSAGE_TOO_BIG = Disconnect(1009, "message too big", reconnect=False)
INTERNAL_ERROR = Disconnect(1011, "internal error", reconnect=True, delay_ms=1000)
RESTART = Disconnect(1012, "service restart: resume", reconnect=True, delay_ms=100)
OVERLOADED = Disconnect(1013, "try again later", reconnect=True, delay_ms=5000)

PROTOCOL_ERROR = Disconnect(4400, "protocol error", reconnect=False)
TOKEN_REQUIRED = Disconnect(4401, "token required", reconnect=True, delay_ms=1000, new_token=True)
TOKEN_INVALID = Disconnect(4402, "token invalid", reconnect=True, delay_ms=1000, new_token=True)
TOKEN_EXPIRED = Disconnect(4403, "token expired", reconnect=True, new_token=True)
NOT_ALLOWED = Disconnect(4404, "not allowed", reconnect=False)
REFUSED = Disconnect(4405, "refused", reconnect=False)
UNAVAILABLE = Disconnect(4406, "unavailable: resume", reconnect=True, delay_ms=1000)
TOKEN_REVOKED = Disconnect(4407, "token revoked", reconnect=True, delay_ms=1000, new_token=True)
HEARTBEAT_LOST = Disconnect(4408, "no heart-beat", reconnect=True)
SLOW_CONSUMER = Disconnect(4409, "slow consumer: resume", reconnect=True, delay_ms=1000)
LOG_RESET = Disconnect(4410, "room log was reset: resume", reconnect=True)
RATE_LIMITED = Disconnect(4429, "rate limited: slow down", reconnect=True, delay_ms=1000)

TABLE: tuple[Disconnect, ...] = (
    NORMAL,
    INVALID_TEXT,
    MESSAGE_TOO_BIG,
    INTERNAL_ERROR,
    RESTART,
    OVERLOADED,
    PROTOCOL_ERROR,
    TOKEN_REQUIRED,
    TOKEN_INVALID,
    TOKEN_EXPIRED,
    NOT_ALLOWED,
    REFUSED,
    UNAVAILABLE,
    TOKEN_REVOKED,
    HEARTBEAT_LOST,
    SLOW_CONSUMER,
    LOG_RESET,
    RATE_LIMITED,
)
"""Every entry; docs/protocol.md shows this table and a test compares them."""
