"""One append, worked out in memory: offsets, duplicates, refusals. No SQL here."""

from collections.abc import Iterable, Mapping

from allibe_services.contracts.commands import Outcome, PostMessage, Rejected, Stored
from allibe_services.contracts.errors import CommandRejected, UnknownRoom
from allibe_services.contracts.ids import MessageId, RoomId, UserId
from allibe_services.contracts.messages import Message, milliseconds, moment
from allibe_services.contracts.rooms import Head

UNKNOWN_ROOM = Rejected(UnknownRoom.code, UnknownRoom.text)
REFUSED = Rejected(CommandRejected.code, CommandRejected.text)

_ClientKey = tuple[RoomId, UserId, str]


class Batch:
    """Gives offsets to commands, from the heads of their rooms and what is stored already."""

    def __init__(self, heads: Mapping[RoomId, Head], stored: Iterable[Message] = ()) -> None:
        self._heads = heads
        self._last = {room_id: head.last_offset for room_id, head in heads.items()}
        self._by_id: dict[MessageId, Message] = {}
        self._by_client_key: dict[_ClientKey, Message] = {}
        self.fresh: list[Message] = []
        for message in stored:
            self._know(message)

    def take(self, command: PostMessage) -> Outcome:
        """Return the command's outcome; a message that is new is put at the end of `fresh`."""
        head = self._heads.get(command.room_id)
        if head is None:
            return UNKNOWN_ROOM
        if not is_storable(command):
            return REFUSED
        known = self._find(command)
        if known is None:
            return Stored(self._place(command, head.epoch))
        if known.room_id != command.room_id:  # a message never shows outside its room
            return REFUSED
        return Stored(known, duplicate=True)

    def withdraw(self) -> None:
        """Forget the last of `fresh`: the database refused it, and its offset is free again."""
        message = self.fresh.pop()
        self._last[message.room_id] -= 1
        del self._by_id[message.message_id]
        if message.client_message_id is not None:
            del self._by_client_key[message.room_id, message.sender, message.client_message_id]

    def _find(self, command: PostMessage) -> Message | None:
        known = self._by_id.get(command.message_id)
        if known is None and command.client_message_id is not None:
            key = (command.room_id, command.sender, command.client_message_id)
            return self._by_client_key.get(key)
        return known

    def _place(self, command: PostMessage, epoch: str) -> Message:
        self._last[command.room_id] = offset = self._last[command.room_id] + 1
        message = Message(
            room_id=command.room_id,
            epoch=epoch,
            offset=offset,
            message_id=command.message_id,
            sender=command.sender,
            content=command.content,
            sent_at=moment(milliseconds(command.sent_at)),  # as history will have it
            sender_name=command.sender_name,
            client_message_id=command.client_message_id,
        )
        self._know(message)
        self.fresh.append(message)
        return message

    def _know(self, message: Message) -> None:
        self._by_id[message.message_id] = message
        if message.client_message_id is not None:
            key = (message.room_id, message.sender, message.client_message_id)
            self._by_client_key[key] = message


def is_storable(command: PostMessage) -> bool:
    """Tell whether every database can hold the command: whole UTF-8, no NUL, a time with a zone.

    SQLite takes a NUL and PostgreSQL does not; asking here makes them alike.
    """
    texts = (
        f"{command.room_id}{command.message_id}{command.sender}{command.sender_name}"
        f"{command.client_message_id}{command.content}"
    )
    return "\0" not in texts and _is_utf8(texts) and command.sent_at.tzinfo is not None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
