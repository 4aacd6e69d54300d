"""The conversation: connect, show what comes, send what is typed, come back after a loss.

Three tasks and nothing else: one holds the connection and is the only one that reads it, one
writes to it (`outbox`), one reads the user. A connection begins with SUBSCRIBE from the last place
that was shown; what waits in the outbox goes out after the replay, which may have shown that some
of it was stored already.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress

from allibe_gateway.stomp import Frame
from allibe_services.contracts.disconnects import TOKEN_EXPIRED, UNAVAILABLE
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.ids import Position, RoomId
from allibe_standalone.terminal import link as frames
from allibe_standalone.terminal.api import Api, Tokens
from allibe_standalone.terminal.console import Console
from allibe_standalone.terminal.endings import (
    CONNECTION_LOST,
    NO_ANSWER,
    Backoff,
    CannotChat,
    Lost,
)
from allibe_standalone.terminal.link import Link
from allibe_standalone.terminal.outbox import Outbox
from allibe_standalone.terminal.transcript import Transcript

HISTORY = 20
"""Messages shown at the start, and after a gap that is too long to be replayed."""

SUBSCRIBE_SECONDS = 15.0
"""Time for the replay; the server gives it ten."""

SETTLE_SECONDS = 30.0
"""How long the end waits for receipts: a server that restarts is back by then."""

SEEN_SECONDS = 2.0
"""How long the end waits for one's own messages to come back from the room and be shown."""

GOODBYE_SECONDS = 3.0
"""Time for the server to answer DISCONNECT, after the receipts of what is under way."""

STABLE_SECONDS = 10.0
"""A connection that lasted so long was good; those that end sooner make the waits grow."""


class Chat:
    """One user in one room, from the first connection to the last receipt.

    `connect` makes connections.
    """

    def __init__(
        self,
        room: RoomId,
        user: str,
        *,
        connect: Callable[[], AbstractAsyncContextManager[Link]],
        api: Api,
        tokens: Tokens,
        console: Console,
    ) -> None:
        self._room = room
        self._user = user
        self._connect = connect
        self._api = api
        self._tokens = tokens
        self._console = console
        self._interactive = console.interactive
        self._outbox = Outbox(room, say=self._say, status=console.set_status)
        self._transcript = Transcript(room, user, console=console, own=self._outbox.seen)
        self._waits = Backoff()
        self._welcomed = False
        self._away = False
        self._not_sent = 0
        self._failure: CannotChat | None = None
        self._leaving = asyncio.Event()

    async def run(self) -> None:
        """Chat until the lines end, the user leaves, or nothing more can be done.

        Raises `CannotChat`, also where something typed did not get through.
        """
        async with asyncio.TaskGroup() as tasks:
            connection = tasks.create_task(self._or_leave(self._stay_connected()))
            writer = tasks.create_task(self._or_leave(self._outbox.run()))
            reader = tasks.create_task(self._or_leave(self._read()))
            await self._leaving.wait()
            reader.cancel()
            await self._say_goodbye(connection)
            writer.cancel()
            connection.cancel()
        self._check_outcome()

    def leave(self) -> None:
        """End soon."""
        self._leaving.set()

    async def _or_leave(self, work: Awaitable[None]) -> None:
        try:
            await work
        except CannotChat as failure:
            self._failure = self._failure or failure
            self.leave()

    # The connection

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._leaving.is_set():
            began = loop.time()
            try:
                await self._be_connected()
            except Lost as lost:
                if loop.time() - began > STABLE_SECONDS:
                    self._waits.reset()
                if not self._leaving.is_set():
                    await self._recover_from(lost)

    async def _be_connected(self) -> None:
        """Connect, go on from where we were, handle frames; ends by `Lost` or `CannotChat`."""
        token = await self._tokens.take()
        async with self._connect() as link:
            name = await link.sign_in(token)
            if name != self._user:
                raise CannotChat(f"the token is of {name or 'nobody'}, not of {self._user}")
            self._tokens.accepted()
            self._outbox.link = link
            try:
                await self._subscribe(link)
                while True:
                    await self._handle(link, await link.next_frame())
            finally:
                self._outbox.link = None

    async def _subscribe(self, link: Link) -> None:
        since = self._transcript.position or await self._show_history()
        await link.send(frames.subscribe_errors())
        await link.send(frames.subscribe_room(self._room, since))
        try:
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                while not link.ready:
                    await self._handle(link, await link.next_frame())
        except TimeoutError:
            raise Lost(NO_ANSWER) from None

    async def _recover_from(self, lost: Lost) -> None:
        """Return when it is time to connect again.

        Raises `CannotChat` where that is useless: the server says so, or never was there. Where a
        new token is needed, the next connection gets one.
        """
        never_there = not self._welcomed and lost.disconnect is CONNECTION_LOST
        if never_there or not lost.disconnect.reconnect:
            raise CannotChat(lost.text)
        if lost.disconnect.new_token:
            self._tokens.rejected(lost)
        if not self._away:
            self._away = True
            what = "Connection lost" if self._welcomed else "Not connected yet"
            why = "" if lost.disconnect is CONNECTION_LOST else f" ({lost.text.rstrip('.')})"
            self._say(f"{what}{why}. Trying again.")
        await asyncio.sleep(self._waits.next(lost.disconnect.delay_ms))

    async def _say_goodbye(self, connection: "asyncio.Task[None]") -> None:
        """DISCONNECT; what is under way gets its receipts first."""
        link = self._outbox.link
        if link is None:
            return
        link.ready = False  # no SEND may follow
        with suppress(Lost, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await link.send(Frame("DISCONNECT", {"receipt": "bye"}))
                await asyncio.wait({connection})

    # What the server sends

    async def _handle(self, link: Link, frame: Frame) -> None:
        if frame.command == "RECEIPT":
            receipt = frame.headers.get("receipt-id", "")
            if receipt == frames.SUBSCRIBED:
                await self._begin(link, frame)
            else:
                self._outbox.confirm(receipt)
        elif frames.RECONNECT_MS in frame.headers:
            pass  # it is sent away then, and comes back: a line on the screen waits for no hint
        elif frame.headers.get("destination") == frames.ERRORS:
            self._on_refused(frames.soft_error_of(frame))
        else:
            self._transcript.entry(frame)

    async def _begin(self, link: Link, subscribed: Frame) -> None:
        """The replay is over: the room is live, and the outbox may go out."""
        if subscribed.headers.get("x-recovered") == "false":
            self._say("Not everything since then can be shown; these are the latest messages.")
            await self._show_history()
        if self._away:
            self._say("Connected again." if self._welcomed else "Connected.")
        if self._interactive and not self._welcomed:
            self._say(f"Room {self._room}, as {self._user}. /who lists the members, /quit leaves.")
        link.ready = self._welcomed = True
        self._away = False
        self._outbox.progressed()

    async def _show_history(self) -> Position:
        page = await self._api.history(self._room, await self._tokens.take(), limit=HISTORY)
        self._outbox.expect_none()
        return self._transcript.history(page)

    def _on_refused(self, error: frames.SoftError) -> None:
        """A frame was refused: the room's, a line's; or the room was taken from us."""
        receipt = error.receipt_id
        if error.code.startswith("token_"):
            raise Lost(TOKEN_EXPIRED, error.message)
        if receipt == frames.SUBSCRIBED and error.retryable:
            raise Lost(UNAVAILABLE, error.message)
        if receipt == frames.SUBSCRIBED or error.destination == frames.topic(self._room):
            raise CannotChat(error.message)
        if not self._outbox.refused(receipt or "", error):
            self._refuse(error.message)

    # What the user types

    async def _read(self) -> None:
        async for line in self._console.lines():
            if line.strip() == "/quit":
                break
            await self._obey(line)
        if self._interactive and self._outbox.waiting and not self._outbox.is_live:
            self._say("Waiting for the server to take what was typed; Ctrl-C leaves at once.")
        # Without anybody typing, the history is what somebody wants to see.
        await self._outbox.settled(
            SETTLE_SECONDS, seen_seconds=SEEN_SECONDS, live=not self._interactive
        )
        self.leave()

    async def _obey(self, line: str) -> None:
        if not line.strip():
            return
        if line.strip() == "/who":
            await self._who()
        elif line.startswith("/") and not line.startswith("//"):
            self._refuse("the commands are /who and /quit; // begins a message with a slash.")
        else:
            try:
                await self._outbox.post(line.removeprefix("/"))
            except AllibeError as error:
                self._refuse(error.message)

    async def _who(self) -> None:
        try:
            members = await self._api.members(self._room, await self._tokens.take())
        except (Lost, CannotChat) as error:
            self._say(f"The members cannot be listed: {error}")
            return
        shown = [
            member.user if member.role == "member" else f"{member.user} ({member.role})"
            for member in members
        ]
        self._say(f"Members: {', '.join(shown)}")

    def _check_outcome(self) -> None:
        """Raise where not everything went as the user has every reason to think."""
        if self._failure is not None:
            raise self._failure
        if waiting := self._outbox.waiting:
            raise CannotChat(f"{_lines(waiting)} without a receipt: stored or not")
        if self._not_sent and not self._interactive:
            raise CannotChat(f"{_lines(self._not_sent)} not sent")
        if not self._welcomed and not self._interactive:
            raise CannotChat("the server could not be reached in time")

    # What the user sees

    def _say(self, text: str) -> None:
        self._transcript.say(text)

    def _refuse(self, reason: str) -> None:
        self._not_sent += 1
        self._say(f"Not sent: {reason}")


def _lines(count: int) -> str:
    return "1 line was" if count == 1 else f"{count} lines were"
