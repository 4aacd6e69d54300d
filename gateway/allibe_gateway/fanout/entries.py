"""A log entry as it is handed out: body encoded once, whoever reads it."""

import msgspec

from allibe_services.contracts.messages import Message

_encode = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What subscribers of any kind get: a JSON body, and the id to recover from.

    `offset` is 0 for activity, which is not in the log.
    """

    offset: int
    message_id: str
    body: bytes


def entry_of(message: Message) -> Entry:
    """Return the log entry's shared form."""
    return Entry(message.offset, str(message.position), _encode(message))
