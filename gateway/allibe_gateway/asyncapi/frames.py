"""The headers of STOMP frames, as JSON schemas: what a client may send, what it gets."""

from typing import Any, Final

from allibe_services.contracts.ids import ROOM_ID_PATTERN

Schema = dict[str, Any]


def text(description: str, *, pattern: str | None = None, **keywords: object) -> Schema:
    """Return the schema of a header: always text."""
    schema: Schema = {"type": "string", "description": description, **keywords}
    return schema if pattern is None else schema | {"pattern": f"^{pattern}$"}


_DIGITS: Final = "[0-9]+"
POSITION: Final = rf"{ROOM_ID_PATTERN}\.[a-z0-9]{{1,16}}\.{_DIGITS}"

HEADERS: Final[dict[str, Schema]] = {
    "Authorization": text("A JWT; the word `Bearer` before it may be left out."),
    "accept-version": text("The versions that the client speaks.", examples=["1.2,1.1,1.0"]),
    "ack": text("What an ACK names; with `ack:client` in 1.2, equal to `message-id`."),
    "content-length": text("Bytes of the body.", pattern=_DIGITS),
    "content-type": text("Always `application/json`.", const="application/json"),
    "destination": text("Where from: what the subscription named."),
    "heart-beat": text(
        "Milliseconds: how often the sender can send, how often it wants to hear.",
        pattern=f"{_DIGITS},{_DIGITS}",
    ),
    "host": text("Not looked at."),
    "id": text("The client's name for the subscription; once per connection."),
    "message": text("What went wrong, in one line."),
    "message-id": text("In a room's log `<roomId>.<epoch>.<offset>`: what `x-since` takes."),
    "receipt": text("Asks for a RECEIPT with this id."),
    "receipt-id": text("The `receipt` of the frame that this answers."),
    "server": text("Name and version of the server."),
    "session": text("The connection's id, for logs."),
    "subscription": text("The `id` of the subscription."),
    "transaction": text("The client's name for the transaction."),
    "user-name": text("Who is signed in; absent while nobody is."),
    "version": text("The version that both sides speak, or those that the server does."),
    "x-code": text("A stable code: see docs/protocol.md."),
    "x-epoch": text("The epoch of the room's log."),
    "x-offset": text("Messages after this offset follow live.", pattern=_DIGITS),
    "x-reconnect-ms": text("When to come back on another connection.", pattern=_DIGITS),
    "x-recovered": text("Whether all after `x-since` was sent.", enum=["true", "false"]),
    "x-retryable": text("Whether the request may be repeated.", enum=["true", "false"]),
    "x-retry-after-ms": text("When to try again, in milliseconds.", pattern=_DIGITS),
    "x-since": text("The last `message-id` that the client has.", pattern=POSITION),
    "x-soft-errors": text("Refused requests do not end the connection.", const="true"),
}

CLIENT_FRAMES: Final = {
    "CONNECT": "accept-version! host Authorization heart-beat x-soft-errors",
    "SUBSCRIBE": "id! destination! ack receipt x-since Authorization",
    "UNSUBSCRIBE": "id! receipt",
    "ACK": "id! receipt transaction",
    "NACK": "id! receipt transaction",
    "BEGIN": "transaction! receipt",
    "COMMIT": "transaction! receipt",
    "ABORT": "transaction! receipt",
    "DISCONNECT": "receipt",
}
"""Frames of a client besides SEND, with their headers as STOMP 1.2 has them; `!`: required."""

SERVER_FRAMES: Final = {
    "CONNECTED": "version! heart-beat! server! session! user-name",
    "RECEIPT": "receipt-id! x-offset x-epoch x-recovered",
    "ERROR": "message! x-code! receipt-id x-retryable x-retry-after-ms version",
}
"""Frames of the server besides MESSAGE."""

SEND: Final = "receipt transaction Authorization"
AUTH: Final = "Authorization! receipt"
"""Headers of a SEND, and of one that brings a token, besides its destination."""

MESSAGE: Final = (
    "subscription! destination! content-type! message-id! content-length! ack x-reconnect-ms"
)
"""Headers of a MESSAGE."""

OTHER_MEANINGS: Final[dict[tuple[str, str], Schema]] = {
    ("SUBSCRIBE", "destination"): text("What to subscribe to."),
    ("SUBSCRIBE", "ack"): text("`client`: an ACK moves the read marker.", enum=["auto", "client"]),
    ("ACK", "id"): text("The `ack` of a MESSAGE: all up to it was read.", pattern=POSITION),
    ("NACK", "id"): text("The `ack` of a MESSAGE; a NACK changes nothing."),
    ("ERROR", "version"): text("The versions of the server, where none was shared."),
}
"""Headers that mean something else, or less, in one kind of frame."""


def headers(frame: str, names: str) -> Schema:
    """Return the schema of a frame's headers; other headers are ignored, so they are allowed."""
    plain = [name.removesuffix("!") for name in names.split()]
    required = [name[:-1] for name in names.split() if name.endswith("!")]
    properties = {name: OTHER_MEANINGS.get((frame, name), HEADERS[name]) for name in sorted(plain)}
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": sorted(required)} if required else {})
