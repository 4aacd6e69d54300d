"""Bytes to lines: from a keyboard, key by key (`LineEditor`), or from a pipe (`LineSplitter`).

The editor exists because a terminal that edits lines by itself tells nobody what stands in the
line, so that a message that comes in meanwhile would be printed into the middle of it.
"""

import codecs
import unicodedata
from typing import Protocol

_ENTER = "\r\n"
_BACKSPACE = "\x7f\b"
_END = "\x04"  # Ctrl-D
_CLEAR = "\x15"  # Ctrl-U
_DROP_WORD = "\x17"  # Ctrl-W
_ESCAPE = "\x1b"


class LineReader(Protocol):
    """What both are."""

    ended: bool
    """Whether the user said that nothing more will come."""

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that this chunk completes, without their ends."""
        ...

    def rest(self) -> str:
        """Return what stands after the last line end, now that nothing more comes."""
        ...


class LineSplitter:
    """Lines of a pipe or file. Bytes that are not UTF-8 become U+FFFD."""

    def __init__(self) -> None:
        self.ended = False
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pieces: list[str] = []

    def feed(self, chunk: bytes) -> list[str]:
        """See `LineReader`."""
        first, *others = self._decode(chunk).split("\n")
        self._pieces.append(first)
        if not others:
            return []
        complete = ["".join(self._pieces), *others[:-1]]
        self._pieces = [others[-1]]
        return [line.removesuffix("\r") for line in complete]

    def rest(self) -> str:
        """See `LineReader`."""
        self._pieces.append(self._decode(b"", final=True))
        return "".join(self._pieces)


class LineEditor:
    """One line that grows at its end: characters, Backspace, Ctrl-W, Ctrl-U, Enter, Ctrl-D.

    Arrow keys and the like do nothing; their escape sequences do not end up in the text.
    """

    def __init__(self) -> None:
        self.ended = False
        self.text = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._escape = ""

    def feed(self, chunk: bytes) -> list[str]:
        """See `LineReader`."""
        lines = []
        for key in self._decode(chunk):
            if self._escape:
                self._continue_escape(key)
            elif key in _ENTER:
                lines.append(self.text)
                self.text = ""
            else:
                self._edit(key)
        return lines

    def rest(self) -> str:
        """Return nothing: a line that was not entered was not meant to be sent."""
        return ""

    def _edit(self, key: str) -> None:
        if key in _BACKSPACE:
            self.text = _without_last(self.text)
        elif key == _CLEAR:
            self.text = ""
        elif key == _DROP_WORD:
            self.text = self.text.rstrip().rpartition(" ")[0]
            self.text += " " if self.text else ""
        elif key == _END:
            self.ended = self.ended or not self.text
        elif key == _ESCAPE:
            self._escape = key
        elif key == "\t":
            self.text += " "
        elif unicodedata.category(key) != "Cc":
            self.text += key

    def _continue_escape(self, key: str) -> None:
        """Swallow `ESC x`, `ESC O x`, and `ESC [ …` up to its final byte (ECMA-48 §5.4)."""
        introduced = self._escape
        if introduced == _ESCAPE and key in "[O":
            self._escape += key
        elif not introduced.endswith("[") or "@" <= key <= "~":
            self._escape = ""


def _without_last(text: str) -> str:
    """Drop the last character with the marks that stand on it."""
    while text and unicodedata.combining(text[-1]):
        text = text[:-1]
    return text[:-1]
