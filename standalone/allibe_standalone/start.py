"""What the command `allibe` starts with: it heeds signals before it imports all the rest.

That takes a second. A Ctrl-C in it would be a traceback, and a SIGTERM would be lost where the
command is the first process of a container: those have no default action.
"""

import os
import signal
from types import FrameType
from typing import NoReturn


def main() -> None:
    """Entry point of the `allibe` command; SIGINT is left to the command that is run.

    SIGTERM ends it at once until that command waits for it. What is ignored from outside stays so.
    """
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_DFL),
    ):
        if signal.getsignal(number) == usual:
            signal.signal(number, _end)
    from allibe_standalone.cli import cli  # noqa: PLC0415 - this is what takes a second

    if signal.getsignal(signal.SIGINT) == _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli(prog_name="allibe")


def _end(number: int, _: FrameType | None) -> NoReturn:
    """End the process with the code that shells give one that died of the signal."""
    os._exit(128 + number)
