"""stdin and stdout: lines in, lines out.

Where both are a terminal, prompt_toolkit edits the line and prints above it (`Prompt`). Else lines
are read and printed as they are (`Console`).
"""

import asyncio
import io
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.utils import is_dumb_terminal

from allibe_standalone.terminal.endings import CannotChat

LINES_AHEAD = 100
"""Lines read before they are wanted: a long file is read as fast as it can be sent."""

STDIN, STDOUT = 0, 1


class Console:
    """Pipes, files, and terminals of which only one is there, or that cannot erase a line."""

    interactive = False
    """Whether somebody types."""

    def show(self, lines: Iterable[str]) -> None:
        """Print lines. Raises `CannotChat` where nobody reads them any more."""
        try:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()
        except OSError:
            # What is buffered would fail again, aloud, at the interpreter's exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise CannotChat("the output was closed") from None

    def set_status(self, status: str) -> None:
        """Say before the typed line how things are; nothing to say is the empty string."""

    def columns(self) -> int | None:
        """Return the terminal's width; None where lines may be long."""
        try:
            return os.get_terminal_size(STDOUT).columns or None
        except OSError:
            return None

    def lines(self) -> AsyncIterator[str]:
        """Yield what is entered, until the user or the input ends."""
        return lines_of(STDIN)


class Prompt(Console):
    """A line that is being typed, below all else, with the status before it."""

    interactive = True

    def __init__(self) -> None:
        keys = KeyBindings()
        # The signal that it is wherever no editor has the keyboard.
        keys.add("c-c")(lambda _: signal.raise_signal(signal.SIGINT))
        self._status = ""
        self._session: PromptSession[str] = PromptSession(
            lambda: f"{self._status}> ",
            key_bindings=keys,
            enable_suspend=True,
            erase_when_done=True,
        )

    def set_status(self, status: str) -> None:
        """See `Console`."""
        self._status = status
        self._session.app.invalidate()

    async def lines(self) -> AsyncIterator[str]:
        """See `Console`. Ends at Ctrl-D, and where the terminal is gone."""
        with suppress(EOFError, OSError):
            while True:
                yield await self._session.prompt_async(
                    set_exception_handler=False, handle_sigint=False
                )


@contextmanager
def console() -> Iterator[Console]:
    """Give what this process has; characters that its encoding lacks become question marks."""
    if not sys.stdout:  # closed before the start
        sys.stdout = os.fdopen(STDOUT, "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if os.isatty(STDIN) and os.isatty(STDOUT) and not is_dumb_terminal():
        with patch_stdout(raw=True):
            yield Prompt()
    else:
        yield Console()


async def lines_of(descriptor: int) -> AsyncIterator[str]:
    """Yield the lines of a pipe or file, without their ends.

    A thread reads them, since no event loop can wait for a regular file; a daemon, since a read
    that waits cannot be ended.
    """
    lines: asyncio.Queue[str] = asyncio.Queue()
    ahead = threading.Semaphore(LINES_AHEAD)
    loop = asyncio.get_running_loop()

    def put(line: str) -> None:
        ahead.acquire()
        loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=_read, args=(descriptor, put), daemon=True).start()
    while line := await lines.get():
        ahead.release()
        yield line.removesuffix("\n").removesuffix("\r")


def _read(descriptor: int, put: Callable[[str], None]) -> None:
    """Put each line, and the empty string at the end. What is not UTF-8 becomes U+FFFD.

    The file is its own: a thread stuck in `sys.stdin` would abort the interpreter at its exit.
    """
    file = open(descriptor, encoding="utf-8", errors="replace", newline="\n", closefd=False)  # noqa: SIM115
    with suppress(RuntimeError):  # the loop is closed: nobody wants lines any more
        with suppress(OSError):  # the terminal is gone
            for line in file:
                put(line)
        put("")
