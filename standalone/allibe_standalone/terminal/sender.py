"""From the outbox to the connection: what is typed is sent, kept until its receipt, sent again."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from allibe_services.contracts.content import check_content
from allibe_standalone.terminal import frames
from allibe_standalone.terminal.backoff import Backoff
from allibe_standalone.terminal.endings import Lost
from allibe_standalone.terminal.link import Link
from allibe_standalone.terminal.outbox import Outbox

RETRY_MS = 1000
"""Wait before a line is sent again that the server could not store, where it does not say."""

MOST_WAITING = 200
"""Lines without a receipt at which no more are read: a piped file waits where it is."""


class Sender:
    """The outbox of one room. `run` must run; it keeps the heart-beat as well.

    `say` shows a notice; `status` says how things are beside the line that is being typed.
    """

    def __init__(
        self, room: str, *, say: Callable[[str], None], status: Callable[[str], None]
    ) -> None:
        self._room = room
        self._say = say
        self._status = status
        self._outbox = Outbox()
        self._retries = Backoff()
        self._link: Link | None = None
        self._paused = False
        self._woken = asyncio.Event()
        self._progress = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many lines have no receipt."""
        return len(self._outbox)

    @property
    def link(self) -> Link | None:
        """The connection in use; entries go out once it is `ready`."""
        return self._link

    @link.setter
    def link(self, link: Link | None) -> None:
        self._link = link
        self._outbox.all_again()
        self.progressed()

    @property
    def is_live(self) -> bool:
        """Whether what is typed goes out at once."""
        return self._link is not None and self._link.ready

    async def run(self) -> None:
        """Keep the connection alive and the outbox short, for ever."""
        while True:
            link = self._link
            try:
                async with asyncio.timeout(link.beat_seconds if link is not None else None):
                    await self._woken.wait()
            except TimeoutError:
                await _beat(link)
                continue
            self._woken.clear()
            with suppress(Lost):  # whoever reads the connection hears of it too
                await self._flush()

    async def post(self, content: str) -> None:
        """Take a line; wait while too many are under way. Raises what is wrong with it."""
        check_content(content)
        self._outbox.add(content)
        self.progressed()
        await self._until(lambda: self.waiting < MOST_WAITING)

    def confirm(self, receipt: str) -> None:
        """The server has a line."""
        self._outbox.confirm(receipt)
        self._retries.reset()
        self.progressed()

    def seen(self, client_message_id: str | None) -> None:
        """A line came back from the room."""
        self._outbox.seen(client_message_id)
        self.progressed()

    def expect_none(self) -> None:
        """The stream went on without some messages: wait for none to come back."""
        self._outbox.expect_none()

    def refused(self, receipt: str, error: frames.SoftError) -> bool:
        """A frame was refused; False where it was no line's, or a line will not be sent again."""
        if error.retryable and self._outbox.again(receipt):
            self._pause(error)
            return True
        self._outbox.refuse(receipt)
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
                await self._until(lambda: not self._outbox.unseen)

    def progressed(self) -> None:
        """Something changed: look whether to send, and whether a wait is over."""
        self._woken.set()
        self._progress.set()
        waiting = f", {self.waiting} waiting" if self.waiting else ""
        self._status("" if self.is_live else f"offline{waiting}")

    async def _flush(self) -> None:
        # Looked at anew for each entry: during a write the connection may become another.
        while (link := self._link) is not None and link.ready and not self._paused:
            entry = self._outbox.take()
            if entry is None:
                return
            await link.send(frames.message(self._room, entry))

    def _pause(self, error: frames.SoftError) -> None:
        """Send nothing for a while: the server is there and cannot store."""
        if self._paused:
            return
        self._paused = True
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


async def _beat(link: Link | None) -> None:
    if link is not None:
        with suppress(Lost):
            await link.beat()
