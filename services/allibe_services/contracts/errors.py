"""Every refusal and failure that a client can meet: a stable code, and whether to try again.

AllibeError
├── Refused                    trying again without a change is useless
│   ├── BadRequest             bad_request: the frame, body or parameter is wrong
│   │   ├── InvalidRoomId      invalid_room_id
│   │   ├── InvalidContent     invalid_content: empty, or holds NUL
│   │   ├── ContentTooLong     content_too_long
│   │   └── UnknownDestination unknown_destination
│   ├── TokenRequired          token_required
│   │   ├── TokenInvalid       token_invalid
│   │   │   └── TicketInvalid  ticket_invalid
│   │   ├── TokenExpired       token_expired
│   │   └── TokenRevoked       token_revoked
│   ├── NotAllowed             not_allowed: the role or identity does not permit it
│   │   ├── SenderMismatch     sender_mismatch: sender or user is not the token's user
│   │   ├── NotAMember         not_a_member
│   │   └── OriginNotAllowed   origin_not_allowed: a page of elsewhere wants to connect
│   ├── UnknownRoom            unknown_room
│   ├── UnknownMember          unknown_member
│   ├── Conflict               conflict: what is asked for contradicts what is
│   ├── TooManySubscriptions   too_many_subscriptions
│   └── CommandRejected        rejected: the log cannot take it
└── Unavailable                retryable: nothing is known to be wrong with the request
    ├── StoreUnavailable       store_unavailable
    ├── BusUnavailable         bus_unavailable
    ├── LeasesUnavailable      leases_unavailable: who is connected, which workers live, tickets
    ├── KeysUnavailable        keys_unavailable: what tokens are verified with
    ├── NotConfirmed           not_confirmed: no word in time; it may or may not be stored
    ├── RateLimited            rate_limited: too much or too often by this user or in this room
    ├── Overloaded             overloaded
    └── ShuttingDown           shutting_down

`status` is the HTTP status of the same refusal. Messages are safe to show: no token, no content.
"""

from typing import ClassVar


class AllibeError(Exception):
    """What a client is told: `code`, `message`, `retryable`, and an HTTP `status`."""

    code: ClassVar[str]
    status: ClassVar[int]
    retryable: ClassVar[bool]
    text: ClassVar[str] = ""

    def __init__(self, message: str = "", *, retry_after_ms: int | None = None) -> None:
        self.message = message or self.text
        self.retry_after_ms = retry_after_ms
        super().__init__(self.message)


class Refused(AllibeError):
    """Trying again without a change is useless."""

    retryable = False


class BadRequest(Refused):
    """The frame, body or parameter is wrong."""

    code, status, text = "bad_request", 400, "The request is malformed."


class InvalidRoomId(BadRequest):
    """A room id outside its pattern."""

    code, text = "invalid_room_id", "A room id is 1 to 64 of A-Z, a-z, 0-9, _ and -."


class InvalidContent(BadRequest):
    """Content that is empty, or that no store can hold."""

    code, text = "invalid_content", "The content is empty or contains a NUL character."


class ContentTooLong(BadRequest):
    """Content over the limit."""

    code, status, text = "content_too_long", 413, "The content is longer than 8192 bytes of UTF-8."


class UnknownDestination(BadRequest):
    """A destination that does not exist, or not for this use."""

    code, text = "unknown_destination", "There is no such destination."


class TokenRequired(Refused):
    """Nobody is signed in yet."""

    code, status, text = "token_required", 401, "A token is required."


class TokenInvalid(TokenRequired):
    """The token is not one of ours."""

    code, text = "token_invalid", "The token is not valid."


class TicketInvalid(TokenInvalid):
    """The ticket is unknown, over, or was used before: which of them is not told."""

    code, text = "ticket_invalid", "The ticket is not valid: unknown, used or over."


class TokenExpired(TokenRequired):
    """The token was valid once."""

    code, text = "token_expired", "The token has expired."


class TokenRevoked(TokenRequired):
    """The token, or all that its user had until then, was revoked."""

    code, text = "token_revoked", "The token was revoked."


class NotAllowed(Refused):
    """The role or identity does not permit it."""

    code, status, text = "not_allowed", 403, "This is not allowed."


class SenderMismatch(NotAllowed):
    """Somebody speaks in another's name."""

    code, text = "sender_mismatch", "The sender is not the user of the token."


class NotAMember(NotAllowed):
    """The user is not a member of the room."""

    code, text = "not_a_member", "You are not a member of this room."


class OriginNotAllowed(NotAllowed):
    """A page whose origin is not on the list; told before the WebSocket stands, by HTTP."""

    code, text = "origin_not_allowed", "Pages of this origin may not connect here."


class UnknownRoom(Refused):
    """There is no such room."""

    code, status, text = "unknown_room", 404, "There is no such room."


class UnknownMember(Refused):
    """There is no such member in the room."""

    code, status, text = "unknown_member", 404, "There is no such member."


class Conflict(Refused):
    """What is asked for contradicts what is."""

    code, status, text = "conflict", 409, "This contradicts the present state."


class TooManySubscriptions(Refused):
    """One connection asked for more subscriptions than it may have."""

    code, status, text = (
        "too_many_subscriptions",
        400,
        "This connection has too many subscriptions.",
    )


class CommandRejected(Refused):
    """The log cannot take this command, now or later."""

    code, status, text = "rejected", 422, "The message cannot be stored."


class Unavailable(AllibeError):
    """Nothing is known to be wrong with the request; try again."""

    status = 503
    retryable = True


class StoreUnavailable(Unavailable):
    """The database did not answer, is locked, or has no room."""

    code, text = "store_unavailable", "The store is unavailable; try again."


class BusUnavailable(Unavailable):
    """The bus did not take it."""

    code, text = "bus_unavailable", "The message bus is unavailable; try again."


class LeasesUnavailable(Unavailable):
    """Leases of connections and workers, or tickets, cannot be read or written now."""

    code, text = "leases_unavailable", "Presence and tickets are unavailable; try again."


class KeysUnavailable(Unavailable):
    """The key that the token names is not known, and the issuer cannot be asked now."""

    code, text = "keys_unavailable", "The keys of tokens are unavailable; try again."


class NotConfirmed(Unavailable):
    """No confirmation in time. It may or may not be stored: repeat with the same client id."""

    code, status = "not_confirmed", 504
    text = "No confirmation in time; try again with the same clientMessageId."


class RateLimited(Unavailable):
    """Too much, or too often, by this user, in this room or from this address: slow down."""

    code, status, text = "rate_limited", 429, "Too much at once; try again later."


class Overloaded(Unavailable):
    """More is waiting than the limits allow."""

    code, text = "overloaded", "The server is overloaded; try again later."


class ShuttingDown(Unavailable):
    """This process is going away; another one takes over."""

    code, text = "shutting_down", "The server is shutting down; connect again."
