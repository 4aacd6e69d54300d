"""JSON bodies that clients send, decoded strictly; unknown fields are ignored."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from allibe_services.contracts.errors import BadRequest

_Body = TypeVar("_Body")


class MessageBody(msgspec.Struct, frozen=True, rename="camel"):
    """What `/app/message` takes, as in the requirements; further fields are ours."""

    content: str
    room_id: str
    client_message_id: str | None = None
    sender: str | None = None


class RoomBody(msgspec.Struct, frozen=True, rename="camel"):
    """What `/app/leave` and `/app/typing` take."""

    room_id: str
    user: str | None = None


class ReadBody(msgspec.Struct, frozen=True, rename="camel"):
    """What `/app/read` takes."""

    room_id: str
    offset: int


class VisibilityBody(msgspec.Struct, frozen=True):
    """What `/app/visibility` takes."""

    visible: bool


def decode(decoder: "msgspec.json.Decoder[_Body]", body: bytes, kinds: Sequence[str] = ()) -> _Body:
    """Return the decoded body. Raises `BadRequest`, which names the field but no value.

    `kinds` is what its `type` may be, where it needs one.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        if kinds and any(text in str(error) for text in ("`$.type`", "field `type`")):
            raise BadRequest(f"type is one of {', '.join(kinds)}.") from None
        raise BadRequest(f"The JSON body does not fit: {_without_values(str(error))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body is not JSON.") from None


def _without_values(text: str) -> str:
    # "Invalid value 'x' - at `$.type`": keep what msgspec expected and where, drop what came.
    if text.startswith("Invalid value"):
        return "Invalid value" + text[text.rfind(" - at") :]
    return text
