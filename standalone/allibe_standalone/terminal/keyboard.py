"""stdin: a thread that reads it, and the mode of a terminal while lines are edited here.

A thread, since no event loop can wait for a regular file; a daemon, since a read that waits for a
key cannot be ended. It reads the descriptor: a reader stuck in `sys.stdin` would abort the
interpreter at its exit.
"""

import asyncio
import os
import termios
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from allibe_standalone.terminal.line_editor import LineReader

CHUNK_BYTES = 65_536
CHUNKS_AHEAD = 4
"""Chunks read before their lines are wanted: a long file is read as fast as it can be sent."""


async def lines_of(
    descriptor: int | None, reader: LineReader, *, changed: Callable[[], None]
) -> AsyncIterator[str]:
    """Yield lines until the user or the input ends; None is an input that was never open.

    `changed` is called when the line in progress may look different.
    """
    if descriptor is None:
        return
    async for chunk in _chunks(descriptor):
        lines = reader.feed(chunk)
        changed()
        for line in lines:
            yield line
        if reader.ended:
            return
    if rest := reader.rest():
        yield rest


async def _chunks(descriptor: int) -> AsyncIterator[bytes]:
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    ahead = threading.Semaphore(CHUNKS_AHEAD)
    loop = asyncio.get_running_loop()

    def hand_over() -> None:
        chunk = b"-"
        while chunk:
            ahead.acquire()
            chunk = _read(descriptor)
            try:
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            except RuntimeError:
                return  # the loop is closed: nobody wants it any more

    threading.Thread(target=hand_over, name="stdin", daemon=True).start()
    while chunk := await chunks.get():
        ahead.release()
        yield chunk


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except OSError:
        return b""  # the terminal is gone


@contextmanager
def key_by_key(descriptor: int) -> Iterator[Callable[[], None]]:
    """Get each key at once, and not echoed, while the context lasts.

    Gives what brings the mode back after the shell has taken the terminal (Ctrl-Z and `fg`).
    Ctrl-C and Ctrl-Z stay signals.
    """
    before = termios.tcgetattr(descriptor)
    mode = termios.tcgetattr(descriptor)
    mode[3] &= ~(termios.ICANON | termios.ECHO)
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0

    def enter() -> None:
        termios.tcsetattr(descriptor, termios.TCSANOW, mode)

    enter()
    try:
        yield enter
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
