"""Messages and notices as lines. Nothing that came from elsewhere gets here unescaped.

    -- Tuesday, 4 March 2025 --
    14:03   bob: hello
    14:04 * alice: my own
            | and its second line
    -- a notice

Every line of a message but its first begins with a gutter, also where the terminal is too narrow:
no content can look like another message or a notice.
"""

from collections.abc import Callable
from datetime import date, tzinfo

import msgspec

from allibe_services.contracts.messages import Message
from allibe_standalone.terminal.text import visible, visible_lines, wrap

_GUTTER = "| "
_NOTICE = "-- "
_NARROWEST = 20
"""Columns below which wrapping gives up: it would be one word a line."""


class Style(msgspec.Struct, frozen=True):
    """What the terminal takes for bold and dim, and to end both; empty where it has none."""

    bold: str = ""
    dim: str = ""
    end: str = ""


PLAIN = Style()


def _no_width() -> int | None:
    return None


class View:
    """Renders for one user. `columns` returns the terminal's width, None where lines may be long;
    `zone` is where the user is, None meaning this machine's.
    """

    def __init__(
        self,
        user: str,
        *,
        style: Style = PLAIN,
        columns: Callable[[], int | None] = _no_width,
        zone: tzinfo | None = None,
    ) -> None:
        self._user = user
        self._style = style
        self._columns = columns
        self._zone = zone
        self._day: date | None = None

    def message(self, message: Message) -> list[str]:
        """Return a message's lines, under the day's where a day begins."""
        moment = message.sent_at.astimezone(self._zone)
        own = message.sender == self._user
        head = f"{moment:%H:%M} {'*' if own else ' '} "
        sender = visible(message.sender)
        first, *others = visible_lines(message.content)
        gutter = " " * len(head) + _GUTTER
        # The first line has no gutter, but is broken as the others are: simpler, and even.
        first, *others = self._broken([f"{sender}: {first}", *others], len(gutter))
        name, said = first[: len(sender)], first[len(sender) :]
        return [
            *self._day_line(moment.date()),
            f"{self._dim(head)}{self._sender(name, own=own)}{said}",
            *(self._dim(gutter) + line for line in others),
        ]

    def notice(self, text: str) -> list[str]:
        """Return what the client itself has to say."""
        lines = self._broken([f"{_NOTICE}{visible(text)}"], len(_NOTICE))
        return [self._dim(lines[0]), *(self._dim(" " * len(_NOTICE) + line) for line in lines[1:])]

    def _day_line(self, day: date) -> list[str]:
        if day == self._day:
            return []
        self._day = day
        return [self._dim(f"-- {day:%A}, {day.day} {day:%B %Y} --")]

    def _broken(self, lines: list[str], taken: int) -> list[str]:
        """Return the lines broken where the terminal would break them, `taken` columns earlier."""
        columns = self._columns()
        if columns is None or columns < _NARROWEST:
            return lines
        return [piece for line in lines for piece in wrap(line, columns - taken)]

    def _sender(self, text: str, *, own: bool) -> str:
        return f"{self._style.bold}{text}{self._style.end}" if own else text

    def _dim(self, text: str) -> str:
        return f"{self._style.dim}{text}{self._style.end}"
