"""WebSocket frames from a server, made ready once and written to many (RFC 6455 §5.2).

Server frames are not masked, so the same bytes serve every connection.
"""

from struct import pack

_FINAL_TEXT = 0x81

PING = b"\x89\x00"
"""A ping without application bytes."""


def text_frame(text: bytes) -> bytes:
    """Return one final text frame around UTF-8 bytes."""
    length = len(text)
    if length < 126:
        return bytes((_FINAL_TEXT, length)) + text
    if length < 65536:
        return pack("!BBH", _FINAL_TEXT, 126, length) + text
    return pack("!BBQ", _FINAL_TEXT, 127, length) + text
