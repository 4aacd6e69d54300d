"""stdout: lines, and below them the line that is being typed, where there is one.

Every write is the whole step (erase the typed line, print, draw it again), so that a terminal
never shows half of it. All text is harmless already (see `view`), but for the typed line.
"""

from collections.abc import Callable, Iterable

from allibe_standalone.terminal.line_editor import LineEditor
from allibe_standalone.terminal.text import tail, visible, width

_NARROWEST = 10


class Screen:
    """Lines only: for pipes, files, and terminals that cannot erase a line."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def show(self, lines: Iterable[str]) -> None:
        """Print lines."""
        self._write("".join(f"{line}\n" for line in lines))

    def set_status(self, status: str) -> None:
        """Say before the typed line how things are; nothing to say is the empty string."""

    def refresh(self) -> None:
        """Draw the typed line again: it has changed."""

    def close(self) -> None:
        """Leave the terminal as the shell wants it."""


class PromptScreen(Screen):
    """Lines above a prompt. `erase` is what the terminal takes to erase the rest of a line."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        editor: LineEditor,
        erase: str,
        columns: Callable[[], int],
    ) -> None:
        super().__init__(write)
        self._editor = editor
        self._begin = f"\r{erase}"
        self._columns = columns
        self._status = ""

    def show(self, lines: Iterable[str]) -> None:
        """See `Screen`."""
        above = "".join(f"{line}\n" for line in lines)
        self._write(f"{self._begin}{above}{self._prompt()}")

    def set_status(self, status: str) -> None:
        """See `Screen`."""
        if status != self._status:
            self._status = status
            self.refresh()

    def refresh(self) -> None:
        """See `Screen`."""
        self._write(self._begin + self._prompt())

    def close(self) -> None:
        """See `Screen`."""
        self._write(self._begin)

    def _prompt(self) -> str:
        lead = f"{self._status}> "
        # One column stays free: at the last one, terminals differ in where the cursor is.
        room = max(self._columns() - width(lead) - 1, _NARROWEST)
        return lead + tail(visible(self._editor.text), room)
