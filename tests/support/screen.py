"""`allibe chat` on a terminal, for tests: which keys are pressed, and what a person sees."""

import os
import pty
import re
import subprocess
import termios
import threading
from collections.abc import Mapping

from tests.support.server import ALLIBE, WAIT_SECONDS, Server, clean_environment, eventually

_CONTROL = re.compile(r"\x1b\[\??([\d;]*)([A-Za-z])|\x1b.|[\r\n\b\x07]|[^\x1b\r\n\b\x07]+")

_TERMINAL: Mapping[str, str] = {
    "TZ": "UTC",
    "TERM": "xterm-256color",
    "PROMPT_TOOLKIT_NO_CPR": "1",  # this terminal never says where its cursor is
}


class Screen:
    """`allibe chat` on a terminal of its own; `text` is all that it wrote to it."""

    def __init__(self, server: Server, room: str, user: str) -> None:
        self.room = room
        self._master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (24, 80))
        self._process = subprocess.Popen(
            [ALLIBE, "chat", "--room", room, "--user", user, "--url", server.url],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            env=clean_environment(_TERMINAL),
        )
        self.text = ""
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def rows(self) -> list[str]:
        """What a person sees, top to bottom, from the first row that holds something."""
        return rendered(self.text)

    def until_row(self, *ends: str) -> None:
        """Wait until the last rows end so."""
        eventually(
            lambda: (
                len(rows := self.rows) >= len(ends)
                and all(map(str.endswith, rows[-len(ends) :], ends))
            ),
            f"the last rows are {ends!r}",
            log=lambda: repr(self.rows),
        )

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def until(self, text: str) -> None:
        eventually(lambda: text in self.text, f"{text!r} is shown", log=lambda: repr(self.text))

    def wait(self) -> int:
        return self._process.wait(WAIT_SECONDS)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(WAIT_SECONDS)
        os.close(self.slave)
        os.close(self._master)

    def _read(self) -> None:
        try:
            while chunk := os.read(self._master, 65536):
                self.text += chunk.decode()
        except OSError:
            return


def rendered(text: str) -> list[str]:
    """Return the rows that a terminal shows after the text: what is used of ECMA-48, and no more.

    Wide characters take one cell here; nothing below depends on where a row ends.
    """
    rows, row, column = [""], 0, 0
    for match in _CONTROL.finditer(text):
        numbers, final = match[1] or "", match[2]
        count = int(numbers) if numbers.isdigit() else 1
        if match[0] == "\n":
            row += 1
        elif match[0] == "\r":
            column = 0
        elif match[0] == "\b" or final == "D":
            column = max(0, column - (count if final else 1))
        elif final == "A":
            row = max(0, row - count)
        elif final == "C":
            column += count
        elif final == "K":
            rows[row] = rows[row][:column]
        elif final == "J":
            rows = [*rows[:row], rows[row][:column]]
        elif final is None and not match[0].startswith(("\x1b", "\x07")):
            rows[row] = (
                rows[row][:column].ljust(column) + match[0] + (rows[row][column + len(match[0]) :])
            )
            column += len(match[0])
        rows += [""] * (row + 1 - len(rows))
    return [stripped for one in rows if (stripped := one.rstrip())]
