"""What the command `allibe` starts with: it heeds signals before it imports all the rest.

That takes a second. A Ctrl-C in it would be a traceback, and a SIGTERM would be lost where the
command is the first process of a container: those have no default action.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

_Action = Callable[[int, FrameType | None], Any] | signal.Handlers

_USUAL: dict[signal.Signals, _Action] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}


def main() -> None:
    """Entry point of the `allibe` command; afterwards signals are left to the command that is run.

    SIGTERM then ends it at once until that command waits for it, as the first process of a
    container, too. What is ignored from outside stays so.
    """
    for number, usual in _USUAL.items():
        if signal.getsignal(number) == usual:
            signal.signal(number, _end)
    from allibe_standalone.cli import cli  # noqa: PLC0415 - this is what takes a second

    for number, usual in _USUAL.items():
        if signal.getsignal(number) == _end and not _is_lost(number):
            signal.signal(number, usual)
    cli(prog_name="allibe")


def _is_lost(number: signal.Signals) -> bool:
    """Tell whether the kernel would drop it. Elsewhere its default action is better than ours, for
    which Python waits until a call to SQLite is over: a minute, where another process migrates."""
    return number == signal.SIGTERM and os.getpid() == 1


def _end(number: int, _: FrameType | None) -> NoReturn:
    """End the process with the code that shells give one that died of the signal."""
    os._exit(128 + number)
