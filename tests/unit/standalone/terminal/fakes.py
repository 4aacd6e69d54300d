"""A server for one `Chat`: connections that tests script, without sockets."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import msgspec

from allibe_gateway.stomp import Frame
from allibe_services.contracts.disconnects import NORMAL, Disconnect
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Member, Role
from allibe_standalone.terminal.api import Api, Page, Tokens
from allibe_standalone.terminal.chat import Chat
from allibe_standalone.terminal.console import Console
from allibe_standalone.terminal.endings import Lost
from allibe_standalone.terminal.link import Link
from tests.unit.standalone.terminal.entries import NOON

_STYLE = re.compile(r"\x1b\[\dm")


class FakeLink(Link):
    """A connection: `sent` is what the client wrote, `say` and `end` are the server's."""

    def __init__(self, user: str = "alice") -> None:
        self.ready = False
        self.sent: list[Frame] = []
        self.tokens: list[str] = []
        self._user = user
        self._turned_away: Lost | None = None
        self._coming: asyncio.Queue[Frame | Lost] = asyncio.Queue()
        self._written = asyncio.Event()

    async def sign_in(self, token: str) -> str:
        self.tokens.append(token)
        if self._turned_away is not None:
            raise self._turned_away
        return self._user

    async def send(self, frame: Frame) -> None:
        self.sent.append(frame)
        self._written.set()
        if frame.command == "DISCONNECT":
            self.end(NORMAL)

    async def next_frame(self) -> Frame:
        frame = await self._coming.get()
        if isinstance(frame, Lost):
            raise frame
        return frame

    # The server's side

    def say(self, command: str, body: object = b"", **headers: str) -> None:
        """Send a frame; underscores of header names are hyphens."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._coming.put_nowait(Frame(command, named, raw))

    def subscribed(self, *, recovered: bool = True) -> None:
        """The receipt of the room's subscription."""
        told = "true" if recovered else "false"
        self.say("RECEIPT", receipt_id="room", x_recovered=told)

    def receipt(self, line: Frame) -> None:
        """The receipt of a line."""
        self.say("RECEIPT", receipt_id=line.headers["receipt"])

    def entry(self, one: Message) -> None:
        """An entry of the room's log."""
        self.say(
            "MESSAGE",
            one,
            destination=f"/topic/rooms/{one.room_id}",
            message_id=str(one.position),
        )

    def refuse(self, code: str, **fields: object) -> None:
        """A soft error."""
        error = {"type": "error", "code": code, "message": f"It is {code}."} | fields
        self.say("MESSAGE", error, destination="/user/queue/errors")

    def turn_away(self, disconnect: Disconnect, text: str = "") -> None:
        """Answer CONNECT with ERROR and a close."""
        self._turned_away = Lost(disconnect, text)

    def end(self, disconnect: Disconnect, text: str = "") -> None:
        """Close."""
        self._coming.put_nowait(Lost(disconnect, text))

    async def lines(self, count: int) -> list[Frame]:
        """Return the lines that were sent, once they are so many."""
        while len(found := [frame for frame in self.sent if frame.command == "SEND"]) < count:
            self._written.clear()
            await self._written.wait()
        return found


class FakeApi(Api):
    """HTTP: a history that tests fill, and two members."""

    def __init__(self) -> None:
        self.log: list[Message] = []
        self.epoch = "e1"

    async def history(self, room: str, token: str, *, limit: int) -> Page:
        last = self.log[-1].offset if self.log else 0
        raw = [msgspec.Raw(msgspec.json.encode(one)) for one in self.log[-limit:]]
        return Page(self.epoch, last, raw)

    async def members(self, room: str, token: str) -> list[Member]:
        return [
            Member(UserId("bob"), Role.OWNER, NOON, 0),
            Member(UserId("eve"), Role.MEMBER, NOON, 0),
        ]


class FakeConsole(Console):
    """What the user types, and sees."""

    def __init__(self, *, interactive: bool) -> None:
        self.interactive = interactive
        self.shown: list[str] = []
        self.statuses: list[str] = []
        self.changed = asyncio.Event()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()

    def type(self, *lines: str) -> None:
        for line in lines:
            self._lines.put_nowait(line)

    def end(self) -> None:
        self._lines.put_nowait(None)

    async def lines(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            yield line

    def show(self, lines: Iterable[str]) -> None:
        self.shown += (_STYLE.sub("", line) for line in lines)
        self.changed.set()

    def set_status(self, status: str) -> None:
        self.statuses.append(status)

    def columns(self) -> int | None:
        return None


class Scene:
    """A chat of alice in room 1 with a scripted server; `shown` is all that she sees."""

    def __init__(self, *links: FakeLink, interactive: bool = True) -> None:
        self.links = links
        self.api = FakeApi()
        self.typing = FakeConsole(interactive=interactive)
        self.shown = self.typing.shown
        self.tokens_made = 0
        self._next = iter(links)
        self.chat = Chat(
            RoomId("1"),
            "alice",
            connect=self._connect,
            api=self.api,
            tokens=Tokens(source=self._token),
            console=self.typing,
        )

    async def run(self) -> None:
        """Chat to the end."""
        await self.chat.run()

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait for something that the user sees."""
        while not is_true():
            self.typing.changed.clear()
            await self.typing.changed.wait()

    async def until_shown(self, text: str) -> None:
        """Wait for a line."""
        await self.until(lambda: any(text in line for line in self.shown))

    def contents(self) -> list[str]:
        """Return what the messages that were shown say."""
        return [line.partition(": ")[2] for line in self.shown if not line.startswith("--")]

    async def _token(self) -> str:
        self.tokens_made += 1
        return f"token-{self.tokens_made}"

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[FakeLink]:
        yield next(self._next)
