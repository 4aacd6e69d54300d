"""Messages and notices as lines. Nothing that came from elsewhere gets here unescaped.

    -- Tuesday, 4 March 2025 --
    14:03   bob: hello
    14:04 * alice: my own
            | and its second line
    -- a notice

Every line of a message but its first begins with a gutter, also where the terminal is too narrow:
no content can look like another message or a notice. Of what a terminal obeys nothing gets
through; nor do characters that reorder what stands around them (Unicode's embeddings, overrides
and isolates).
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, tzinfo

from wcwidth import wrap

from allibe_services.contracts.messages import Message

_TAB = " " * 4
_GUTTER = "| "
_NOTICE = "-- "
_NARROWEST = 20
"""Columns below which wrapping gives up: it would be one word a line."""

_LINE_ENDS = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BOLD, _DIM, _END = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def visible(text: str) -> str:
    """Return the text as one line that does nothing but stand there."""
    return "".join(map(_shown, text.replace("\t", _TAB)))


def visible_lines(text: str) -> list[str]:
    """Return the text's lines, each as `visible` shows it; never an empty list."""
    return [visible(line) for line in _LINE_ENDS.split(text)]


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNFIT and character not in _REORDERING:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class View:
    """Renders for one user. `columns` returns the terminal's width, None where lines may be long;
    `zone` is where the user is, None meaning this machine's; `styled` allows bold and dim.
    """

    def __init__(
        self,
        user: str,
        *,
        columns: Callable[[], int | None],
        styled: bool = False,
        zone: tzinfo | None = None,
    ) -> None:
        self._user = user
        self._columns = columns
        self._styled = styled
        self._zone = zone
        self._day: date | None = None

    def message(self, message: Message) -> list[str]:
        """Return a message's lines, under the day's where a day begins."""
        moment = message.sent_at.astimezone(self._zone)
        own = message.sender == self._user
        head = f"{moment:%H:%M} {'*' if own else ' '} "
        sender = self._in(_BOLD if own else "", visible(message.sender))
        first, *others = visible_lines(message.content)
        gutter = self._in(_DIM, " " * len(head) + _GUTTER)
        return [
            *self._day_line(moment.date()),
            *self._broken(f"{self._in(_DIM, head)}{sender}: {first}", gutter),
            *(piece for line in others for piece in self._broken(gutter + line, gutter)),
        ]

    def notice(self, text: str) -> list[str]:
        """Return what the client itself has to say."""
        lines = self._broken(f"{_NOTICE}{visible(text)}", " " * len(_NOTICE))
        return [self._in(_DIM, line) for line in lines]

    def _day_line(self, day: date) -> list[str]:
        if day == self._day:
            return []
        self._day = day
        return [self._in(_DIM, f"-- {day:%A}, {day.day} {day:%B %Y} --")]

    def _broken(self, line: str, indent: str) -> list[str]:
        """Return the line broken where the terminal would break it, so that it has its indent."""
        columns = self._columns()
        if columns is None or columns < _NARROWEST:
            return [line]
        return wrap(
            line,
            columns,
            subsequent_indent=indent,
            break_on_hyphens=False,
            propagate_sgr=False,
        )

    def _in(self, style: str, text: str) -> str:
        return f"{style}{text}{_END}" if self._styled and style else text
