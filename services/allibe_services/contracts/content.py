"""What may be written: the rules for a message's content, and a room's name and id.

Every way in (STOMP, JSON, HTTP) asks here, so that they all refuse the same.
"""

import unicodedata

from allibe_services.contracts.errors import (
    BadRequest,
    ContentTooLong,
    InvalidContent,
    InvalidRoomId,
)
from allibe_services.contracts.ids import RoomId, is_room_id
from allibe_services.contracts.messages import CONTENT_BYTES
from allibe_services.contracts.rooms import NAME_LENGTH

_UNFIT_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, lone surrogates, line and paragraph separators: a name is one line."""


def check_content(text: str) -> None:
    """Return when the text may be a message's content.

    Raises `ContentTooLong` (over 8192 bytes of UTF-8) and `InvalidContent`: nothing but blanks,
    a NUL (PostgreSQL holds none), or half a surrogate pair (UTF-8 holds none).
    """
    # A character is at least a byte: this refuses the huge ones without encoding them.
    if len(text) > CONTENT_BYTES:
        raise ContentTooLong
    if not text or text.isspace() or "\0" in text:
        raise InvalidContent
    if not text.isascii() and _utf8_bytes(text) > CONTENT_BYTES:
        raise ContentTooLong


def check_name(text: str) -> None:
    """Return when the text may be a room's name: 1 to 100 characters of one line, not all blank.

    Raises `BadRequest`.
    """
    if not text or text.isspace():
        raise BadRequest("A room's name must not be empty.")
    if len(text) > NAME_LENGTH:
        raise BadRequest(f"A room's name is at most {NAME_LENGTH} characters long.")
    if any(unicodedata.category(character) in _UNFIT_IN_NAMES for character in text):
        raise BadRequest("A room's name is one line without control characters.")


def checked_room_id(text: str) -> RoomId:
    """Return the text as a room id. Raises `InvalidRoomId`."""
    if not is_room_id(text):
        raise InvalidRoomId
    return RoomId(text)


def _utf8_bytes(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidContent("The content contains half a surrogate pair.") from None
