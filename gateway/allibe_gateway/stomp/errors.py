"""What can go wrong in the STOMP layer, and who is to blame.

StompError
├── PeerViolation               the peer broke a rule: send ERROR, flush, close
│   ├── MalformedFrame          malformed_frame
│   ├── UndefinedEscape         undefined_escape
│   ├── InvalidUtf8             invalid_utf8
│   ├── UnknownCommand          unknown_command
│   ├── UnexpectedBody          unexpected_body
│   ├── MissingHeader           missing_header
│   ├── InvalidHeader           invalid_header
│   ├── UnsupportedVersion      unsupported_version
│   ├── NotConnected            not_connected
│   ├── AlreadyConnected        already_connected
│   ├── AlreadyDisconnected     already_disconnected
│   ├── UnknownTransaction      unknown_transaction
│   ├── DuplicateTransaction    duplicate_transaction
│   └── LimitExceeded           (never raised itself)
│       ├── FrameTooLarge       frame_too_large
│       ├── TooManyHeaders      too_many_headers
│       ├── HeaderTooLong       header_too_long
│       ├── TooManyTransactions too_many_transactions
│       └── TransactionTooLarge transaction_too_large
└── LocalMisuse                 local_misuse: a bug on this side, not the peer's doing

An error carries its reply: `code` goes to the ERROR frame's `x-code`, `message` to its `message`,
`reply_headers` and `reply_body` complete it. No message quotes what the peer sent, so each may be
shown and logged.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from allibe_gateway.stomp.versions import SUPPORTED


class StompError(Exception):
    """Anything that the STOMP layer raises. Codes are stable: clients may branch on them."""

    code: ClassVar[str] = "stomp_error"
    reply_headers: ClassVar[Mapping[str, str]] = MappingProxyType({})
    reply_body: ClassVar[str | None] = None

    def __init__(self, message: str, *, receipt_id: str | None = None) -> None:
        """`message`: one line, safe to show. `receipt_id`: the receipt that the bad frame asked
        for, so that the peer can tell which frame failed; filled in by whoever knows the frame.
        """
        super().__init__(message)
        self.message = message
        self.receipt_id = receipt_id


class PeerViolation(StompError):
    """The peer broke a rule of the protocol or went over a limit. The connection is over."""


class MalformedFrame(PeerViolation):
    """Bytes that are no STOMP frame."""

    code = "malformed_frame"


class UndefinedEscape(PeerViolation):
    """A backslash sequence that the version does not define: fatal, by "Value Encoding"."""

    code = "undefined_escape"


class InvalidUtf8(PeerViolation):
    """A command or header that is not UTF-8."""

    code = "invalid_utf8"


class UnknownCommand(PeerViolation):
    """A command that STOMP, this version of it, or this direction does not have."""

    code = "unknown_command"


class UnexpectedBody(PeerViolation):
    """A body on a frame other than SEND, MESSAGE and ERROR."""

    code = "unexpected_body"


class MissingHeader(PeerViolation):
    """A required header is absent or empty."""

    code = "missing_header"


class InvalidHeader(PeerViolation):
    """A header that STOMP defines has a value that STOMP does not."""

    code = "invalid_header"


class UnsupportedVersion(PeerViolation):
    """`accept-version` and this server have no version in common."""

    code = "unsupported_version"
    # STOMP 1.2, "Protocol Negotiation": the ERROR frame lists what would have been accepted.
    reply_headers = MappingProxyType({"version": ",".join(SUPPORTED)})
    reply_body = "Supported protocol versions are " + " ".join(SUPPORTED)


class NotConnected(PeerViolation):
    """Another frame came before CONNECT."""

    code = "not_connected"


class AlreadyConnected(PeerViolation):
    """A second CONNECT."""

    code = "already_connected"


class AlreadyDisconnected(PeerViolation):
    """A frame came after DISCONNECT."""

    code = "already_disconnected"


class UnknownTransaction(PeerViolation):
    """A transaction that was never begun, or is over."""

    code = "unknown_transaction"


class DuplicateTransaction(PeerViolation):
    """BEGIN of a transaction that is open."""

    code = "duplicate_transaction"


class LimitExceeded(PeerViolation):
    """The peer went over one of `Limits`."""


class FrameTooLarge(LimitExceeded):
    """Over `Limits.frame_bytes`, received or declared by `content-length`."""

    code = "frame_too_large"


class TooManyHeaders(LimitExceeded):
    """Over `Limits.headers`."""

    code = "too_many_headers"


class HeaderTooLong(LimitExceeded):
    """Over `Limits.header_line_bytes`."""

    code = "header_too_long"


class TooManyTransactions(LimitExceeded):
    """Over `Limits.transactions`."""

    code = "too_many_transactions"


class TransactionTooLarge(LimitExceeded):
    """Over `Limits.transaction_frames` or `Limits.transaction_bytes`."""

    code = "transaction_too_large"


class LocalMisuse(StompError):
    """This side asked for something that STOMP cannot do; nothing was sent or changed."""

    code = "local_misuse"
