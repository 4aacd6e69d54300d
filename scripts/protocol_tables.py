"""The tables of docs/protocol.md: how connections are closed, errors, limits.

The code is the source, so the tables cannot lie; what it does not say (when a connection is closed
so) stands here.
"""

from collections.abc import Iterator
from typing import Any

from allibe_gateway.doors.base import disconnect_for
from allibe_gateway.limits import Limits
from allibe_gateway.stomp.errors import (
    FrameTooLarge,
    HeaderTooLong,
    PeerViolation,
    TooManyHeaders,
    TooManyTransactions,
    TransactionTooLarge,
)
from allibe_gateway.stomp.limits import Limits as StompLimits
from allibe_rooms_api import problems
from allibe_services.auth import TOKEN_BYTES
from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from allibe_services.contracts.errors import (
    AllibeError,
    ContentTooLong,
    NotConfirmed,
    Refused,
    StoreUnavailable,
    TokenInvalid,
    TokenRequired,
    TooManySubscriptions,
)
from allibe_services.contracts.messages import CONTENT_BYTES
from allibe_services.settings import Settings
from scripts.markdown import table, variable

WHEN: dict[Disconnect, str] = {
    disconnects.NORMAL: "You sent DISCONNECT or `leave`.",
    disconnects.INVALID_TEXT: "A WebSocket text message that is not UTF-8.",
    disconnects.MESSAGE_TOO_BIG: "A WebSocket message or a STOMP frame over its limit.",
    disconnects.INTERNAL_ERROR: "A fault of the server.",
    disconnects.RESTART: "The server stops. What it took has its receipt.",
    disconnects.OVERLOADED: "Too much is waiting.",
    disconnects.PROTOCOL_ERROR: "One of the STOMP errors below.",
    disconnects.TOKEN_REQUIRED: "No token came in time, or a request came before one.",
    disconnects.TOKEN_INVALID: "The token is not one of ours.",
    disconnects.TOKEN_EXPIRED: "The token is over.",
    disconnects.NOT_ALLOWED: "Not a member (any more), or another user's name or token.",
    disconnects.REFUSED: "Any other refused request.",
    disconnects.UNAVAILABLE: "Store or bus did not answer in time.",
    disconnects.TOKEN_REVOKED: "The token, or all of its user, was revoked.",
    disconnects.HEARTBEAT_LOST: "Nothing came from you for two heart-beats.",
    disconnects.SLOW_CONSUMER: "You read too slowly.",
    disconnects.RATE_LIMITED: "You did more than the limits allow; an ERROR or `error` says when to"
    " come back.",
    disconnects.LOG_RESET: "The log of one of your rooms has a new epoch.",
}
"""When the server closes so: the table of disconnects leaves that to those who use it."""


def close_codes() -> str:
    """Return the table of disconnects."""
    return table(
        ("code", "reason", "when", "what to do"),
        ((str(one.code), one.reason, WHEN[one], _what_to_do(one)) for one in disconnects.TABLE),
    )


def error_codes() -> str:
    """Return the table of `contracts.errors`."""
    return table(
        ("code", "HTTP", "retryable", "STOMP closes with", "meaning"),
        (
            (
                f"`{error.code}`",
                str(error.status),
                _yes(error.retryable),
                str(disconnect_for(error()).code),
                _one_line(error.__doc__),
            )
            for error in _subclasses(AllibeError)
        ),
    )


def http_errors() -> str:
    """Return the table of errors that only the HTTP side knows."""
    return table(
        ("code", "HTTP", "meaning"),
        (
            (f"`{error.code}`", str(error.status), _one_line(error.__doc__))
            for error in Refused.__subclasses__()
            if error.__module__ == problems.__name__
        ),
    )


def stomp_errors() -> str:
    """Return the table of what breaks the rules of STOMP."""
    return table(
        ("code", "closes with", "meaning"),
        (
            (
                f"`{error.code}`",
                str(_closes(error).code),
                _one_line(error.__doc__).replace("`Limits.", "`"),
            )
            for error in _subclasses(PeerViolation)
        ),
    )


def limits() -> str:
    """Return the table of limits, with what happens beyond each."""
    return table(("limit", "value", "setting", "beyond it"), [*_stomp_limits(), *_limits()])


def _subclasses(base: type[Any]) -> Iterator[type[Any]]:
    """Yield what a client can meet: the classes with a code of their own, in reading order."""
    for error in base.__subclasses__():
        if error.__module__ == base.__module__:
            if "code" in vars(error):
                yield error
            yield from _subclasses(error)


def _stomp_limits() -> Iterator[tuple[str, ...]]:
    stomp = StompLimits()
    for name, what, error in (
        ("frame_bytes", "bytes of a STOMP frame, its NUL included", FrameTooLarge),
        ("headers", "headers of a frame", TooManyHeaders),
        ("header_line_bytes", "bytes of a header line", HeaderTooLong),
        ("transactions", "transactions open at once", TooManyTransactions),
        ("transaction_frames", "frames that they hold", TransactionTooLarge),
        ("transaction_bytes", "bytes that they hold", TransactionTooLarge),
    ):
        yield f"`{name}`: {what}", _number(getattr(stomp, name)), "", f"`{error.code}`"


def _limits() -> Iterator[tuple[str, ...]]:
    bounds, times = Limits(), Settings()
    silence = bounds.silent_intervals * bounds.heart_beat_seconds
    for what, value, setting, beyond in (
        (
            "bytes of a WebSocket message",
            bounds.websocket_message_bytes,
            "",
            f"closed with {disconnects.MESSAGE_TOO_BIG.code}",
        ),
        ("bytes of a message's content, as UTF-8", CONTENT_BYTES, "", f"`{ContentTooLong.code}`"),
        ("bytes of a token", TOKEN_BYTES, "", f"`{TokenInvalid.code}`"),
        (
            "subscriptions to rooms on a connection, activity included, user queues not",
            bounds.subscriptions,
            "subscriptions_per_connection",
            f"`{TooManySubscriptions.code}`",
        ),
        (
            "messages of a connection without a receipt",
            bounds.in_flight,
            "in_flight_per_connection",
            "the server reads on when some are settled",
        ),
        (
            "messages replayed to a subscription",
            bounds.recovery_messages,
            "recovery_messages",
            "`x-recovered:false`",
        ),
        (
            "seconds until a token comes",
            bounds.sign_in_seconds,
            "sign_in_seconds",
            f"`{TokenRequired.code}`",
        ),
        ("seconds for a SUBSCRIBE", bounds.subscribe_seconds, "", f"`{StoreUnavailable.code}`"),
        (
            "seconds until a message is confirmed",
            times.publish_seconds,
            "publish_seconds",
            f"`{NotConfirmed.code}`",
        ),
        (
            f"seconds of your silence, {bounds.silent_intervals} heart-beats",
            silence,
            "heart_beat_seconds",
            f"closed with {disconnects.HEARTBEAT_LOST.code}",
        ),
        (
            "SockJS sessions over HTTP on a gateway",
            bounds.sockjs_sessions,
            "",
            "`overloaded`, 503 with `Retry-After`",
        ),
        ("bytes that you have not read", bounds.shed_bytes, "", "activity is skipped"),
        (
            "bytes that you have not read",
            bounds.slow_consumer_bytes,
            "slow_consumer_bytes",
            f"closed with {disconnects.SLOW_CONSUMER.code}",
        ),
        (
            "bytes that all clients of a gateway have not read",
            bounds.slow_consumers_bytes,
            "slow_consumers_bytes",
            f"those furthest behind are closed with {disconnects.SLOW_CONSUMER.code}",
        ),
    ):
        yield what, _number(value), variable(setting), beyond


def _what_to_do(disconnect: Disconnect) -> str:
    if disconnect is disconnects.NORMAL:
        return "Nothing."
    if not disconnect.reconnect:
        return "Do not reconnect: the client, or its user, has to change something."
    when = f"after {disconnect.delay_ms} ms" if disconnect.delay_ms else "at once"
    return (
        f"Get a new token, then reconnect {when}." if disconnect.new_token else f"Reconnect {when}."
    )


def _closes(error: type[PeerViolation]) -> Disconnect:
    too_big = issubclass(error, FrameTooLarge)
    return disconnects.MESSAGE_TOO_BIG if too_big else disconnects.PROTOCOL_ERROR


def _number(value: float) -> str:
    return f"{value:,.15g}"


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
