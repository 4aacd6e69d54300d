"""The terminal client on this machine: its stdin, its stdout, its signals."""

import asyncio
import curses
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TextIO

import aiohttp
import msgspec
from yarl import URL

from allibe_services.contracts.ids import RoomId, is_room_id, is_user_id
from allibe_services.settings import Settings
from allibe_standalone.terminal.api import Api
from allibe_standalone.terminal.chat import Chat
from allibe_standalone.terminal.endings import CannotChat
from allibe_standalone.terminal.keyboard import key_by_key, lines_of
from allibe_standalone.terminal.line_editor import LineEditor, LineReader, LineSplitter
from allibe_standalone.terminal.link import linked
from allibe_standalone.terminal.screen import PromptScreen, Screen
from allibe_standalone.terminal.tokens import tokens_for
from allibe_standalone.terminal.view import PLAIN, Style, View

USUAL_COLUMNS = 80

_STDERR = 2
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Abilities(msgspec.Struct, frozen=True):
    """What a terminal can do, from terminfo."""

    erase: str
    """Erases from the cursor to the end of the line; empty where it cannot."""
    style: Style


def run(
    settings: Settings, *, room: str, user: str, url: str, token: str | None
) -> Coroutine[None, None, None]:
    """Chat until the input ends or the user leaves: to be awaited.

    Raises `ValueError` with one line for whatever ends it otherwise.
    """
    _fill_standard_descriptors()
    return _chat(settings, room=room, user=user, url=url, token=token)


async def _chat(settings: Settings, *, room: str, user: str, url: str, token: str | None) -> None:
    room_id, base = _checked(room, user), server_url(url)
    output = Output(sys.stdout)
    async with aiohttp.ClientSession() as session:
        api = Api(session, base)
        tokens = tokens_for(settings, api, user=user, given=token)
        with _terminal(output) as (screen, reader, style):
            chat = Chat(
                room_id,
                user,
                connect=partial(linked, session, base),
                api=api,
                tokens=tokens,
                screen=screen,
                view=View(user, style=style, columns=output.columns),
                interactive=isinstance(reader, LineEditor),
            )
            output.on_closed = partial(chat.leave, CannotChat("the output was closed"))
            _leave_on_signals(chat.leave)
            await chat.run(lines_of(_descriptor(sys.stdin), reader, changed=screen.refresh))


def server_url(text: str) -> URL:
    """Return a server's address, of HTTP also where it was given as WebSocket's.

    Raises `CannotChat`.
    """
    try:
        url = URL(text)
        scheme = _SCHEMES[url.scheme]
    except (ValueError, KeyError):
        raise CannotChat(f"{text!r} is not of the form http://host:port") from None
    if not url.host or url.user is not None:
        raise CannotChat(f"{text!r} is not of the form http://host:port")
    return url.with_scheme(scheme).with_query(None).with_fragment(None)


def _fill_standard_descriptors() -> None:
    """Open those of 0 to 2 that were closed, on nothing.

    The loop that is made next would take their numbers for itself, which uvloop ends with an
    abort, and what is read as stdin would be the loop's own wake-up calls.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)


def _checked(room: str, user: str) -> RoomId:
    if not is_room_id(room):
        raise CannotChat("a room id is 1 to 64 of A-Z, a-z, 0-9, _ and -")
    if not is_user_id(user):
        raise CannotChat("a user id is 1 to 128 printable ASCII without space, '*' and '#'")
    return RoomId(room)


class Output:
    """stdout, which may be closed, or be closed by whoever reads it: `on_closed` is called then."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.descriptor = _descriptor(stream)
        self.on_closed: Callable[[], None] = lambda: None

    @property
    def is_terminal(self) -> bool:
        return self.descriptor is not None and os.isatty(self.descriptor)

    def write(self, text: str) -> None:
        """Write all of it now; characters that the encoding lacks become question marks."""
        if self._stream is None:
            return
        encoding = self._stream.encoding
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except OSError:
            self._give_up()

    def columns(self) -> int | None:
        """Return the terminal's width; None for what is no terminal."""
        if self.descriptor is None or not self.is_terminal:
            return None
        try:
            return os.get_terminal_size(self.descriptor).columns or USUAL_COLUMNS
        except OSError:
            return USUAL_COLUMNS

    def _give_up(self) -> None:
        # What is buffered would fail again, aloud, at the interpreter's exit.
        self._stream = None
        if self.descriptor is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.descriptor)
            os.close(nowhere)
        self.on_closed()


@contextmanager
def _terminal(output: Output) -> Iterator[tuple[Screen, LineReader, Style]]:
    """Give screen, reader and style: a prompt where both ends are a terminal that can have one."""
    abilities = _abilities(output)
    descriptor = _descriptor(sys.stdin)
    if descriptor is None or not os.isatty(descriptor) or not abilities.erase:
        yield Screen(output.write), LineSplitter(), abilities.style
        return
    editor = LineEditor()
    screen = PromptScreen(
        output.write,
        editor=editor,
        erase=abilities.erase,
        columns=lambda: output.columns() or USUAL_COLUMNS,
    )
    with ExitStack() as stack:
        enter = stack.enter_context(key_by_key(descriptor))
        stack.callback(screen.close)

        def come_back() -> None:
            enter()
            screen.refresh()

        asyncio.get_running_loop().add_signal_handler(signal.SIGCONT, come_back)
        yield screen, editor, abilities.style


def _abilities(output: Output) -> Abilities:
    if not output.is_terminal or output.descriptor is None:
        return Abilities("", PLAIN)
    try:
        curses.setupterm(fd=output.descriptor)
    except curses.error:
        return Abilities("", PLAIN)
    end = _ability("sgr0")
    style = Style(_ability("bold"), _ability("dim"), end) if end else PLAIN
    return Abilities(_ability("el"), style)


def _ability(name: str) -> str:
    text = (curses.tigetstr(name) or b"").decode("ascii", "replace")
    return "" if "$<" in text else text  # padding, for terminals of another age


def _leave_on_signals(leave: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, leave)


def _descriptor(stream: TextIO | None) -> int | None:
    """Return the stream's descriptor; None for one that was closed before the start."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None
