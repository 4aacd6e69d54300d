"""What the peer asked for, after validation: all that the gateway sees of STOMP's client frames.

Required fields are there and not empty, values are of their kinds. Destinations, tokens and bodies
are not looked at here. A `receipt` other than None asks for a RECEIPT with that id once the
request is done. `str` and `repr` are for logs and show no secrets (see `printing`).
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from allibe_gateway.stomp.printing import show_body, show_headers, show_text
from allibe_gateway.stomp.versions import Version

AckMode: TypeAlias = Literal["auto", "client", "client-individual"]


class HeartBeat(Struct, frozen=True):
    """What both sides agreed on, in milliseconds; 0 means none in that direction."""

    send_ms: int
    """This side must send something at least this often."""
    receive_ms: int
    """The peer promised to send something at least this often."""


class _Request(Struct, frozen=True):
    def __repr__(self) -> str:
        fields = (f"{name}={_show(getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(fields)})"


class Connect(_Request, frozen=True):
    """CONNECT or STOMP. Answer with CONNECTED of this version, or with ERROR."""

    version: Version
    heart_beat: HeartBeat
    headers: dict[str, str]


class Send(_Request, frozen=True):
    """SEND; one that belonged to a transaction comes at its COMMIT."""

    destination: str
    body: bytes
    headers: dict[str, str]
    receipt: str | None


class Subscribe(_Request, frozen=True):
    """SUBSCRIBE. Whether the id is free on this connection is for the session to say."""

    id: str
    """Without an id, which only 1.0 allows, the destination."""
    destination: str
    ack: AckMode
    headers: dict[str, str]
    receipt: str | None
    has_id: bool = True
    """False if the id was made up here: MESSAGE then carries no `subscription`."""


class Unsubscribe(_Request, frozen=True):
    """UNSUBSCRIBE, by the id that Subscribe had."""

    id: str
    headers: dict[str, str]
    receipt: str | None


class Ack(_Request, frozen=True):
    """ACK; one that belonged to a transaction comes at its COMMIT."""

    subscription: str | None
    """Always there in 1.1; 1.2 knows the subscription by the id alone."""
    message_id: str
    """1.0, 1.1: the MESSAGE's `message-id`. 1.2: its `ack`, which Allibe makes the same."""
    headers: dict[str, str]
    receipt: str | None


class Nack(_Request, frozen=True):
    """NACK, with the fields of Ack. Not in 1.0."""

    subscription: str | None
    message_id: str
    headers: dict[str, str]
    receipt: str | None


class Handled(_Request, frozen=True):
    """BEGIN, COMMIT or ABORT was dealt with here, and asked for a receipt.

    The receipt of a COMMIT covers the Sends that came just before this event: give it when they
    are done.
    """

    command: Literal["BEGIN", "COMMIT", "ABORT"]
    receipt: str


class Disconnect(_Request, frozen=True):
    """DISCONNECT. Its receipt says that everything before it was handled; then close."""

    receipt: str | None


Transactable: TypeAlias = Send | Ack | Nack
"""What may wait for a COMMIT."""

Event: TypeAlias = Connect | Send | Subscribe | Unsubscribe | Ack | Nack | Handled | Disconnect


def _show(value: object) -> str:
    if isinstance(value, dict):
        return f"[{show_headers(value)}]"
    if isinstance(value, bytes):
        return show_body(value)
    return show_text(value) if isinstance(value, str) else repr(value)
