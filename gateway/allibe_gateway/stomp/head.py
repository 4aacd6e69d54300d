"""The head of a frame: command and headers.

`Head` takes it line by line and is the authority on what is wrong with it. `plain_head` takes the
head of an ordinary frame in one go, and gives up on anything that needs a closer look.
"""

from typing import Final

from allibe_gateway.stomp.errors import (
    FrameTooLarge,
    InvalidUtf8,
    MalformedFrame,
    TooManyHeaders,
    UnknownCommand,
)
from allibe_gateway.stomp.escaping import header_rules, unescape
from allibe_gateway.stomp.frames import COMMANDS
from allibe_gateway.stomp.limits import Limits
from allibe_gateway.stomp.versions import Version

_LONGEST_LENGTH: Final = 18
"""Digits of a content-length that are worth reading: more is over any limit (and `int` itself
refuses some thousand digits with an error of its own)."""


def plain_head(head: bytes, limits: Limits) -> tuple[str, dict[str, str]] | None:
    """Command and headers of a head without its blank line; None if `Head` has to look at it.

    None is no verdict: the head may be wrong, or merely have an escape or a CR LF in it.
    """
    if b"\\" in head or b"\r" in head:
        return None
    try:
        command, *lines = head.decode().split("\n")
    except UnicodeDecodeError:
        return None
    if command not in COMMANDS or len(lines) > limits.headers:
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name:
            return None
        if name not in headers:
            headers[name] = value
    return command, headers


class Head:
    """Takes the lines of one frame's head as they come in.

    `headers` holds what was understood so far, also after an error, so that the error can name
    the receipt that the frame asked for.
    """

    __slots__ = ("_count", "_limits", "_rules", "_version", "command", "complete", "headers")

    def __init__(self, version: Version, limits: Limits) -> None:
        self.command = ""
        self.headers: dict[str, str] = {}
        self.complete = False
        self._version = self._rules = version
        self._limits = limits
        self._count = 0

    def add(self, line: bytes) -> None:
        """Take one line, without its LF. The empty one sets `complete`.

        Raises MalformedFrame, UnknownCommand, InvalidUtf8, UndefinedEscape, TooManyHeaders.
        """
        text = _text(line)
        if not self.command:
            self._take_command(text)
        elif text:
            self._take_header(text)
        else:
            self.complete = True

    def body_length(self) -> int | None:
        """What `content-length` declares, in bytes; None without it, when NUL ends the body.

        Raises MalformedFrame, and FrameTooLarge for a number beyond any limit.
        """
        declared = self.headers.get("content-length")
        if declared is None:
            return None
        if self._version is Version.V1_0:
            declared = declared.strip()  # the examples of STOMP 1.0 pad their values
        if not (declared.isascii() and declared.isdigit()):
            raise MalformedFrame("content-length is not a number of bytes")
        digits = declared.lstrip("0")
        if len(digits) > _LONGEST_LENGTH:
            raise FrameTooLarge("content-length is over the limit of a frame")
        return int(digits or "0")

    def _take_command(self, text: str) -> None:
        # Refused at its own line: a peer that speaks HTTP never gets to a NUL.
        if text not in COMMANDS:
            raise UnknownCommand("this is no STOMP command")
        self.command = text
        self._rules = header_rules(text, self._version)

    def _take_header(self, text: str) -> None:
        self._count += 1
        if self._count > self._limits.headers:
            raise TooManyHeaders(f"a frame may have {self._limits.headers} headers")
        # By the letter a value's own colons are escaped too; stock clients leave them as they are
        # (`content-type`, dates), and the first one divides all the same.
        name, colon, value = text.partition(":")
        if not colon or not name:
            raise MalformedFrame("a header line is not of the form name:value")
        # 1.2 escapes each CR, so one here is a broken line end. Earlier versions have no escape
        # for it, and let it stand in a value.
        if "\r" in text and (self._rules is Version.V1_2 or text.endswith("\r")):
            raise MalformedFrame("a carriage return in a header is not part of a line end")
        name, value = unescape(name, self._rules), unescape(value, self._rules)
        # STOMP 1.2, "Repeated Header Entries": only the first counts.
        self.headers.setdefault(name, value)


def _text(line: bytes) -> str:
    """The line without the CR of a CR LF, which only 1.2 defines.

    It is dropped at every version: the version of a CONNECT is not known when it is read, and a
    value that ends in CR on purpose is far less likely than a line end written as CR LF.
    """
    try:
        return line.removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise InvalidUtf8("a command or header is not UTF-8") from None
