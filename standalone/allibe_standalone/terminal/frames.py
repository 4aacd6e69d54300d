"""The frames that this client sends, and the soft errors that it gets."""

import msgspec

from allibe_gateway.stomp import Frame
from allibe_services.contracts.ids import Position
from allibe_standalone.terminal.outbox import Entry

ERRORS = "/user/queue/errors"

SUBSCRIBED = "room"
"""Receipt of the subscription to the room; all other receipts but `BYE` are of entries."""

BYE = "bye"


class SoftError(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a frame that the server refused without closing."""

    code: str
    message: str
    retryable: bool = False
    retry_after_ms: int | None = None
    receipt_id: str | None = None
    destination: str | None = None


def connect(*, host: str, token: str, version: str, heart_beat: tuple[int, int]) -> Frame:
    """CONNECT, asking for soft errors: a refused line must not cost the connection."""
    headers = {
        "accept-version": version,
        "host": host,
        "heart-beat": f"{heart_beat[0]},{heart_beat[1]}",
        "Authorization": f"Bearer {token}",
        "x-soft-errors": "true",
    }
    return Frame("CONNECT", headers)


def topic(room: str) -> str:
    """Return the destination of a room's log."""
    return f"/topic/rooms/{room}"


def subscribe_errors() -> Frame:
    """SUBSCRIBE to the soft errors."""
    return Frame("SUBSCRIBE", {"id": "errors", "destination": ERRORS})


def subscribe_room(room: str, since: Position) -> Frame:
    """SUBSCRIBE to a room's log from after a position."""
    headers = {
        "id": "room",
        "destination": topic(room),
        "x-since": str(since),
        "receipt": SUBSCRIBED,
    }
    return Frame("SUBSCRIBE", headers)


def message(room: str, entry: Entry) -> Frame:
    """SEND of a line; its receipt has the line's own id."""
    content = {
        "roomId": room,
        "content": entry.content,
        "clientMessageId": entry.client_message_id,
    }
    body = msgspec.json.encode(content)
    headers = {
        "destination": "/app/message",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "receipt": entry.client_message_id,
    }
    return Frame("SEND", headers, body)


def disconnect() -> Frame:
    """DISCONNECT; its receipt comes after those of all that was sent."""
    return Frame("DISCONNECT", {"receipt": BYE})


def soft_error_of(frame: Frame) -> SoftError:
    """Return what a MESSAGE of the errors queue says; the bare minimum where it says it oddly."""
    try:
        return msgspec.json.decode(frame.body, type=SoftError)
    except msgspec.DecodeError:
        return SoftError("unknown", "The server refused something.")
