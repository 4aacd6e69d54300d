"""What AMQP messages hold: a list of commands, or of events, as MessagePack.

The content type names what is in the list and the version of its form: a consumer refuses what it
does not know, instead of misreading it. A new field with a default needs no new version, another
meaning does.
"""

from collections.abc import Sequence

import msgspec

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.events import Event

COMMANDS = "application/vnd.allibe.commands.v1+msgpack"
EVENTS = "application/vnd.allibe.events.v1+msgpack"

_encoder = msgspec.msgpack.Encoder()
_commands = msgspec.msgpack.Decoder(list[PostMessage])
_events = msgspec.msgpack.Decoder(list[Event])


class Undecodable(Exception):
    """Nobody can read it: another version, another type, or damaged."""


def encode(items: Sequence[PostMessage] | Sequence[Event]) -> bytes:
    """Return the list as MessagePack. Raises `UnicodeEncodeError` for what is no text."""
    return _encoder.encode(items)


def decode_commands(body: bytes, content_type: str | None) -> list[PostMessage]:
    """Return the commands, one or more. Raises `Undecodable`, with a reason without content."""
    _check(content_type, COMMANDS)
    try:
        commands = _commands.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable(f"not a list of commands: {error}") from error
    if not commands:
        raise Undecodable("an empty list of commands")
    return commands


def decode_events(body: bytes, content_type: str | None) -> list[Event]:
    """Return the events. Raises `Undecodable`."""
    _check(content_type, EVENTS)
    try:
        return _events.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable(f"not a list of events: {error}") from error


def _check(content_type: str | None, expected: str) -> None:
    if content_type != expected:
        raise Undecodable(f"content type {content_type!r} instead of {expected}")
