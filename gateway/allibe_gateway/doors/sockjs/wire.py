"""SockJS frames: bytes in, bytes out (sockjs-protocol 0.3.3, "Protocol and framing")."""

import json
import re
from typing import Final

import msgspec

from allibe_gateway.websocket_frames import text_frame
from allibe_services.contracts.disconnects import Disconnect

OPEN: Final = b"o"
HEART_BEAT: Final = b"h"

ANOTHER_RECEIVER: Final = b'c[2010,"Another connection still open"]'
"""For a second request that waits for frames while the first one does."""

INTERRUPTED: Final = b'c[1002,"Connection interrupted"]'
"""For a session whose receiving request broke: what was under way may be lost."""

_UNSAFE: Final = re.compile("[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]")
"""What browsers may not hand on as it is ("JSON Unicode Encoding"); besides control characters,
which JSON escapes by itself, and surrogates, which UTF-8 cannot have."""

_messages: Final = msgspec.json.Decoder(list[str])


class BrokenMessages(Exception):
    """What a client sent is not a JSON array of strings."""


def quoted(text: bytes) -> bytes:
    """Return a text as the member of an array, comma included: the framing of HTTP connections.

    Members that follow one another are put into one frame by `message_frame`.
    """
    return _quote(text.decode()) + b","


def message_frame(members: bytes) -> bytes:
    """Return the frame of one or more members that `quoted` made."""
    return b"a[%b]" % members[:-1]


def websocket_message(text: bytes) -> bytes:
    """Return a text as a frame in a WebSocket text message: the framing of WebSockets."""
    return text_frame(b"a[%b]" % _quote(text.decode()))


def close_frame(reason: Disconnect) -> bytes:
    """Return the frame that says why the server closes."""
    return b"c[%d,%b]" % (reason.code, _quote(reason.reason))


def messages_of(body: bytes) -> list[bytes]:
    """Return the texts that a client sent, empty ones left out. Raises `BrokenMessages`."""
    try:
        return [text.encode() for text in _messages.decode(body) if text]
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BrokenMessages from None


def javascript_string(frame: bytes) -> bytes:
    """Return a frame as a string literal that may stand in a script, in a page too.

    Within `<script>` a page's parser looks for tags and comments before JavaScript is read.
    """
    literal = _quote(frame.decode())
    for character, escaped in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        literal = literal.replace(character, escaped)
    return literal


def event_source_data(frame: bytes) -> bytes:
    """Return a frame for an EventSource, whose sockjs-client decodes percent signs."""
    return frame.replace(b"%", b"%25")


def _quote(text: str) -> bytes:
    literal = json.dumps(text, ensure_ascii=False)
    if not literal.isascii():
        literal = _UNSAFE.sub(_escape, literal)
    return literal.encode()


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
