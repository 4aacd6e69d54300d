"""Text of others, made harmless for a terminal; how wide text is there, and where to break it.

A terminal obeys control characters. Of these nothing gets through but line ends, which the caller
places, and tabs as blanks. Characters that reorder what stands around them (Unicode's embeddings,
overrides and isolates) would let a message pose as another line; they are shown as escapes too.
"""

import re
import unicodedata

TAB = " " * 4

_LINE_ENDS = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WITHOUT_WIDTH = frozenset({"Mn", "Me", "Cf"})


def visible(text: str) -> str:
    """Return the text as one line that does nothing but stand there."""
    return "".join(map(_shown, text.replace("\t", TAB)))


def visible_lines(text: str) -> list[str]:
    """Return the text's lines, each as `visible` shows it; never an empty list."""
    return [visible(line) for line in _LINE_ENDS.split(text)]


def width(text: str) -> int:
    """Return how many columns a terminal gives to the text."""
    return sum(map(_columns, text))


def wrap(text: str, columns: int) -> list[str]:
    """Return the text in pieces of at most so many columns, broken at blanks where there are any.

    A piece holds at least one character, however narrow the terminal is.
    """
    pieces = []
    while (fits := _fitting(text, columns)) < len(text):
        blank = text.rfind(" ", 1, fits + 1)
        at = blank if blank > 0 else fits
        pieces.append(text[:at])
        text = text[at + 1 :] if blank > 0 else text[at:]
    return [*pieces, text]


def tail(text: str, columns: int) -> str:
    """Return the longest end of the text that so many columns hold."""
    used = 0
    for index in range(len(text) - 1, -1, -1):
        used += _columns(text[index])
        if used > columns:
            return text[index + 1 :]
    return text


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNFIT and character not in _REORDERING:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _columns(character: str) -> int:
    if unicodedata.category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fitting(text: str, columns: int) -> int:
    """Return how many characters, at least one, fit into so many columns."""
    used = 0
    for index, character in enumerate(text):
        used += _columns(character)
        if used > columns and index:
            return index
    return len(text)
