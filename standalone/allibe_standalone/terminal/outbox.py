"""What was typed: sent, and kept until it is known to be stored.

A line stays from the moment it is typed to its receipt, over any number of connections; its
`clientMessageId` is what makes sending it again harmless. Where the sender's own message comes
back from the room before its receipt does, that is as good.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from uuid_utils import uuid7

from allibe_services.contracts.content import check_content
from allibe_standalone.terminal.endings import Backoff, Lost
from allibe_standalone.terminal.link import Link, SoftError, message

LONGEST_RETRY_SECONDS = 8.0
"""Somebody waits to see it sent: soon after the server can store again it should be."""

RETRY_MS = 1000
"""Wait before a line is sent again that the server could not store, where it does not say."""

MOST_WAITING = 200
"""Lines without a receipt at which no more are read: a piped file waits where it is."""


class Outbox:
    """The lines of one room in the order in which they were typed. `run` must run.

    `say` shows a notice; `status` says how things are beside the line that is being typed.
    """

    def __init__(
        self, room: str, *, say: Callable[[str], None], status: Callable[[str], None]
    ) -> None:
        self._room = room
        self._say = say
        self._status = status
        self._lines: dict[str, str] = {}
        self._sent: set[str] = set()
        self._unseen: set[str] = set()
        self._retries = Backoff(longest=LONGEST_RETRY_SECONDS)
        self._link: Link | None = None
        self._paused = False
        self._said = ""
        self._woken = asyncio.Event()
        self._progress = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many lines have no receipt."""
        return len(self._lines)

    @property
    def link(self) -> Link | None:
        """The connection in use; lines go out once it is `ready`.

        With another one, all goes out again that has no receipt.
        """
        return self._link

    @link.setter
    def link(self, link: Link | None) -> None:
        self._link = link
        self._sent.clear()
        self.progressed()

    @property
    def is_live(self) -> bool:
        """Whether what is typed goes out at once."""
        return self._link is not None and self._link.ready

    async def run(self) -> None:
        """Send what is to be sent, for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            with suppress(Lost):  # whoever reads the connection hears of it too
                await self._flush()

    async def post(self, content: str) -> None:
        """Take a line; wait while too many are under way. Raises what is wrong with it."""
        check_content(content)
        self._lines[str(uuid7())] = content
        self.progressed()
        await self._until(lambda: self.waiting < MOST_WAITING)

    def confirm(self, receipt: str) -> None:
        """The server has a line; it will come back from the room."""
        if self._drop(receipt):
            self._unseen.add(receipt)
        self._retries.reset()
        if not self._lines:
            self._said = ""
        self.progressed()

    def seen(self, client_message_id: str | None) -> None:
        """A line came back from the room, so it is stored, receipt or not."""
        if client_message_id is not None:
            self._drop(client_message_id)
            self._unseen.discard(client_message_id)
            self.progressed()

    def expect_none(self) -> None:
        """The stream went on without some messages: wait for none to come back."""
        self._unseen.clear()

    def refused(self, receipt: str, error: SoftError) -> bool:
        """A frame was refused; False where it was no line's, or a line will not be sent again."""
        if error.retryable and receipt in self._lines:
            self._sent.discard(receipt)
            self._pause(error)
            return True
        self._drop(receipt)
        self.progressed()
        return False

    async def settled(self, seconds: float, *, seen_seconds: float, live: bool) -> None:
        """Wait until all has its receipt, and then came back, each for so long at most.

        With `live`, a connection must have been there too.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until(lambda: not self.waiting and (self.is_live or not live))
        with suppress(TimeoutError):
            async with asyncio.timeout(seen_seconds):
                await self._until(lambda: not self._unseen)

    def progressed(self) -> None:
        """Something changed: look whether to send, and whether a wait is over."""
        self._woken.set()
        self._progress.set()
        waiting = f", {self.waiting} waiting" if self.waiting else ""
        self._status("" if self.is_live else f"offline{waiting}")

    async def _flush(self) -> None:
        # Looked at anew for each line: during a write the connection may become another.
        while (link := self._link) is not None and link.ready and not self._paused:
            line = next((line for line in self._lines if line not in self._sent), None)
            if line is None:
                return
            # It counts as sent before it is written: were it the other way round, a connection
            # that changes during the write would leave it out.
            self._sent.add(line)
            await link.send(message(self._room, line, self._lines[line]))

    def _drop(self, line: str) -> bool:
        self._sent.discard(line)
        return self._lines.pop(line, None) is not None

    def _pause(self, error: SoftError) -> None:
        """Send nothing for a while: the server is there and cannot store."""
        if self._paused:
            return
        self._paused = True
        if error.code != self._said:
            self._said = error.code
            self._say(f"Not stored yet: {error.message.rstrip('.')}. Trying again.")
        seconds = self._retries.next(error.retry_after_ms or RETRY_MS)
        asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._paused = False
        self._woken.set()

    async def _until(self, is_true: Callable[[], bool]) -> None:
        while not is_true():
            self._progress.clear()
            await self._progress.wait()
