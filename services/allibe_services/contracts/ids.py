"""What ids may look like, and the position of an entry in a room's log.

Ids travel in URLs, STOMP headers and AMQP routing keys (255 bytes, `*` and `#` are wildcards),
so each has a pattern that is safe in all of them.
"""

import re
from typing import NewType

import msgspec
from uuid_utils import uuid7

RoomId = NewType("RoomId", str)
UserId = NewType("UserId", str)
MessageId = NewType("MessageId", str)

ROOM_ID_PATTERN = r"[A-Za-z0-9_-]{1,64}"
USER_ID_PATTERN = r'(?!\.{1,2}$)[!-"$-)+-~]{1,128}'
CLIENT_MESSAGE_ID_PATTERN = r"[!-~]{1,64}"
TOKEN_ID_PATTERN = r"[!-~]{1,256}"  # noqa: S105 - no password

FORGOTTEN = UserId("*deleted*")
"""The sender of what a user wrote whose data was erased. Nobody's id: none has a `*`."""

_ROOM_ID = re.compile(ROOM_ID_PATTERN).fullmatch
_USER_ID = re.compile(USER_ID_PATTERN).fullmatch
_CLIENT_MESSAGE_ID = re.compile(CLIENT_MESSAGE_ID_PATTERN).fullmatch
_TOKEN_ID = re.compile(TOKEN_ID_PATTERN).fullmatch
_POSITION = re.compile(r"([A-Za-z0-9_-]{1,64})\.([a-z0-9]{1,16})\.(0|[1-9][0-9]{0,17})").fullmatch


def is_room_id(text: str) -> bool:
    """Tell whether the text may name a room: `[A-Za-z0-9_-]{1,64}`."""
    return _ROOM_ID(text) is not None


def is_user_id(text: str) -> bool:
    """Tell whether a `sub` may name a user: 1 to 128 printable ASCII without space, `*` and `#`."""
    return _USER_ID(text) is not None


def is_client_message_id(text: str) -> bool:
    """Tell whether the text may be a client's own message id: 1 to 64 printable ASCII, no space."""
    return _CLIENT_MESSAGE_ID(text) is not None


def is_token_id(text: str) -> bool:
    """Tell whether a `jti` can be revoked: 1 to 256 printable ASCII, no space."""
    return _TOKEN_ID(text) is not None


def new_message_id() -> MessageId:
    """Return a fresh UUIDv7: unique, and sorted by the time it was made."""
    return MessageId(str(uuid7()))


class Position(msgspec.Struct, frozen=True):
    """Where an entry stands: room, epoch of the room's log, offset in it.

    Its text `<roomId>.<epoch>.<offset>` is the STOMP `message-id` and what a client sends back
    to recover. The epoch detects a log that was reset or restored: offsets of another epoch
    mean nothing. Offset 0 is "before the first message".
    """

    room_id: RoomId
    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.room_id}.{self.epoch}.{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """Return the position that the text spells, or None where it spells none."""
        found = _POSITION(text)
        if found is None:
            return None
        room_id, epoch, offset = found.groups()
        return cls(RoomId(room_id), epoch, int(offset))
