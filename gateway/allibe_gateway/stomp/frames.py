"""One STOMP frame, and its way to the wire.

Reading is `parser`; what a command means is `requests` and `protocol`.
"""

import re
from typing import Final

from msgspec import Struct

from allibe_gateway.stomp.errors import LocalMisuse
from allibe_gateway.stomp.escaping import escape, header_rules
from allibe_gateway.stomp.printing import show_body, show_headers
from allibe_gateway.stomp.versions import Version

CLIENT_COMMANDS: Final = frozenset(
    {
        "CONNECT",
        "STOMP",
        "SEND",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "ACK",
        "NACK",
        "BEGIN",
        "COMMIT",
        "ABORT",
        "DISCONNECT",
    }
)
SERVER_COMMANDS: Final = frozenset({"CONNECTED", "MESSAGE", "RECEIPT", "ERROR"})
COMMANDS: Final = CLIENT_COMMANDS | SERVER_COMMANDS

COMMANDS_WITH_BODY: Final = frozenset({"SEND", "MESSAGE", "ERROR"})
"""STOMP 1.2, "Body": all other frames must not have one."""

_PLAIN_LINE: Final = re.compile(r"[^\\:\r\n\0]+:[^\\:\r\n\0]*")
"""A header line that is the same in all versions: nothing in it is escaped, or refused."""


class Frame(Struct, frozen=True):
    """A frame as it was meant: headers unescaped, the first of repeated ones only.

    `str` and `repr` are for logs: they show neither the body nor any value that may be secret.
    """

    command: str
    headers: dict[str, str]
    body: bytes = b""

    def __str__(self) -> str:
        return " ".join(
            part
            for part in (self.command, show_headers(self.headers), show_body(self.body))
            if part
        )

    __repr__ = __str__


def encode(frame: Frame, version: Version) -> bytes:
    """The frame's bytes, NUL included. Nothing is added: what is decoded is what was encoded.

    Raises LocalMisuse for what the version cannot carry: an unknown command; a NUL in a header; in
    1.0, CONNECT and CONNECTED an LF, a name with a colon; a body where none may be, with a wrong
    `content-length`, or with a NUL and no `content-length`.
    """
    if frame.command not in COMMANDS:
        raise LocalMisuse("STOMP has no such command to encode")
    if frame.body or "content-length" in frame.headers:
        _check_body(frame)
    rules = header_rules(frame.command, version)
    lines = [frame.command]
    lines += [header_line(name, value, rules) for name, value in frame.headers.items()]
    return b"%b\n\n%b\0" % (_utf8("\n".join(lines)), frame.body)


def header_line(name: str, value: str, rules: Version) -> str:
    """`name:value` as it stands on the wire, without its LF. Raises LocalMisuse."""
    line = f"{name}:{value}"
    if _PLAIN_LINE.fullmatch(line):
        return line
    wire_name, wire_value = escape(name, rules), escape(value, rules)
    line = f"{wire_name}:{wire_value}"
    if "\0" in line or "\n" in line:
        raise LocalMisuse(f"STOMP {rules} cannot carry a NUL or LF in this header")
    if not wire_name or ":" in wire_name:
        raise LocalMisuse(f"STOMP {rules} cannot carry an empty header name, or a colon in it")
    # The reader takes it for the first half of a CR LF.
    if line.endswith("\r"):
        raise LocalMisuse(f"STOMP {rules} cannot carry a CR at the end of a header")
    return line


def _check_body(frame: Frame) -> None:
    if frame.body and frame.command not in COMMANDS_WITH_BODY:
        raise LocalMisuse(f"{frame.command} cannot have a body")
    declared = frame.headers.get("content-length")
    if declared is None and b"\0" in frame.body:
        raise LocalMisuse("a body with a NUL needs content-length")
    if declared is not None and declared != str(len(frame.body)):
        raise LocalMisuse("content-length is not the length of the body")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise LocalMisuse("a header has a lone surrogate, which UTF-8 cannot carry") from None
