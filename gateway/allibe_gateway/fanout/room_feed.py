"""One room on this gateway: its entries in order and without holes, its audiences, recovery.

Rules
  1. `tail.last` is the offset up to which subscribers have everything.
  2. An event at or below it is dropped, the next one is handed out, a later one is a gap.
  3. A gap is filled from the log. While that goes on events only raise the goal: the log has
     them all, so nothing needs to be buffered.
  4. A subscriber joins between two entries, at `tail.last`, after it was handed what it asked
     for up to there, in one step of the loop.
  5. When the log has another epoch the feed is over: it asks for its reset, once, and takes no
     more. Whoever comes next opens another one.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import structlog

from allibe_gateway.fanout.activity import ActivityFeed
from allibe_gateway.fanout.audience import Audience, View
from allibe_gateway.fanout.entries import Entry, entry_of
from allibe_gateway.fanout.outbox import Outbox
from allibe_gateway.fanout.single_flight import SingleFlight
from allibe_gateway.fanout.tail import Tail
from allibe_services.contracts.errors import StoreUnavailable, Unavailable, UnknownRoom
from allibe_services.contracts.ids import Position, RoomId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Head
from allibe_services.store.base import RoomLog

PAGE = 100
"""Entries read from the log at once: 5 MiB at the very worst, 100 KiB as a rule."""

RETRY_SECONDS = 0.5
"""Pause before a gap is read again when the store is away."""

log = structlog.get_logger(__name__)


class FeedLimits(msgspec.Struct, frozen=True):
    """Bounds of a feed: see `limits.Limits`."""

    recovery_messages: int
    tail_bytes: int


class Joined(msgspec.Struct, frozen=True):
    """How a subscription began: where it stands, and whether it got all that it had missed.

    `recovered` is None when it did not ask.
    """

    position: Position
    recovered: bool | None


class RoomFeed:
    """A room's stream for local subscribers.

    `changed` is called when frames wait for a flush, `reset` when the log has another epoch and
    all subscribers must start again, `gap` when a hole is found.
    """

    def __init__(
        self,
        room_id: RoomId,
        room_log: RoomLog,
        limits: FeedLimits,
        *,
        changed: Callable[["RoomFeed"], None],
        reset: Callable[["RoomFeed"], None],
        gap: Callable[[], None],
    ) -> None:
        self.room_id = room_id
        self.entries = Audience(ephemeral=False)
        self.activity = ActivityFeed(partial(changed, self))
        self._log = room_log
        self._limits = limits
        self._changed = changed
        self._reset = reset
        self._gap = gap
        self._epoch = ""
        self._tail: Tail | None = None
        self._goal = 0
        self._early: Message | None = None
        self._over = False
        self._filling: asyncio.Task[None] | None = None
        self._reads: SingleFlight[int, list[Entry]] = SingleFlight()
        self._warming: SingleFlight[int, list[Entry]] = SingleFlight()

    @property
    def epoch(self) -> str:
        """The epoch of the log; empty before it is open."""
        return self._epoch

    async def open(self) -> None:
        """Find the end of the log. The room's events must be bound before.

        Raises `UnknownRoom`, `StoreUnavailable`.
        """
        head = (await self._log.heads([self.room_id])).get(self.room_id)
        if head is None:
            raise UnknownRoom
        self._start_at(head)
        if self._early is not None:
            self.on_message(self._early)
            self._early = None

    def close(self) -> None:
        """Stop what runs for this feed; who is joining gets `StoreUnavailable`."""
        self._over = True
        self._reads.close()
        self._warming.close()
        if self._filling is not None:
            self._filling.cancel()

    def on_message(self, message: Message) -> bool:
        """Take a stored message from the bus; return whether it was handed out now."""
        tail = self._tail
        if self._over:
            return False
        if tail is None:
            self._keep_for_later(message)
        elif message.epoch != self._epoch:
            self._start_over()
        elif message.offset == tail.last + 1:
            self._hand_out(tail, message)
            return True
        elif message.offset > tail.last:
            self._gap()
            self._fill_up_to(message.offset)
        return False

    def flush(self) -> int:
        """Write what waits; return how many entries of the log that were, over all subscribers."""
        self.activity.flush()
        return self.entries.flush()

    @property
    def last(self) -> int:
        """The offset up to which subscribers have everything; 0 before it is open."""
        return self._tail.last if self._tail is not None else 0

    def compare(self, head: Head, *, seen: int) -> None:
        """Take what the log says of its end: a lost last event leaves no other trace.

        `seen` is `last` from before the log was asked. A log that ends before it was restored
        from a copy.
        """
        if self._tail is None or self._over:
            return
        if head.epoch != self._epoch or head.last_offset < seen:
            self._start_over()
        elif head.last_offset > self._tail.last:
            self._fill_up_to(head.last_offset)

    async def join(self, view: View, outbox: Outbox, since: Position | None) -> Joined:
        """Hand a subscriber what follows `since`, then all that comes.

        Not recovered, it gets what comes from now on: the epoch is another, the gap is longer
        than `recovery_messages`, or was pruned. Raises `StoreUnavailable`.
        """
        recovered = await self._recover(view, outbox, since) if since is not None else None
        tail = self._opened()
        self.entries.add(view, outbox)
        return Joined(Position(self.room_id, self._epoch, tail.last), recovered)

    async def _recover(self, view: View, outbox: Outbox, since: Position) -> bool:
        """Write all entries after `since` up to the tail's last; True when that is complete.

        Returns right after the last write, without giving up control in between: the caller
        joins the audience in the same step.
        """
        offset = since.offset
        if since.room_id != self.room_id or since.epoch != self._epoch:
            return False
        if offset > self._opened().last:
            await self._catch_up()  # another gateway was ahead of this one
        if not 0 <= self._opened().last - offset <= self._limits.recovery_messages:
            return False
        if offset + 1 < self._opened().start:
            await self._warm(offset)
        while (entries := self._opened().after(offset)) is None:
            page = await self._reads.run(offset, partial(self._read_after, offset))
            # The log may be ahead of the events: what is after the tail comes through it.
            page = [entry for entry in page if entry.offset <= self._opened().last]
            # What was asked for may have been pruned, even while pages were written.
            if not page or page[0].offset != offset + 1 or outbox.closed:
                return False
            for entry in page:
                outbox.write(view.encode_for_one(entry))
                await _drained(outbox)
            offset = page[-1].offset
        _write(view, outbox, entries)
        return True

    async def _catch_up(self) -> None:
        seen = self.last
        head = (await self._log.heads([self.room_id])).get(self.room_id)
        if head is not None:
            self.compare(head, seen=seen)
        if self._filling is not None:
            await asyncio.wait((self._filling,))

    async def _warm(self, offset: int) -> None:
        """Load the tail's part after an offset, once for all who come back at the same time."""
        start = self._opened().start
        missing = min(start - 1 - offset, self._limits.recovery_messages)
        older = await self._warming.run(start, lambda: self._read_before(start, missing))
        self._opened().prepend(older)

    async def _read_before(self, offset: int, most: int) -> list[Entry]:
        messages = await self._log.before(self.room_id, offset, most=most)
        return [entry_of(message) for message in messages]

    async def _read_after(self, offset: int) -> list[Entry]:
        messages = await self._log.after(self.room_id, offset, most=PAGE)
        return [entry_of(message) for message in messages]

    def _fill_up_to(self, offset: int) -> None:
        self._goal = max(self._goal, offset)
        if self._filling is None:
            self._filling = asyncio.create_task(self._fill(), name="fill-gap")

    async def _fill(self) -> None:
        try:
            tail = self._opened()
            while tail.last < self._goal and not self._over:
                await self._fill_page(tail)
        except Exception:
            # The next event or comparison begins again; nobody else would hear of this.
            log.exception("gap_not_filled", room=self.room_id)
        finally:
            self._filling = None

    async def _fill_page(self, tail: Tail) -> None:
        try:
            messages = await self._log.after(self.room_id, tail.last, most=PAGE)
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
            return
        if not messages or messages[0].offset > tail.last + 1:
            # An event came of what the log does not have: it was reset under our feet, or pruned
            # while the store was away. Whoever comes back is told.
            self._start_over()
        for message in messages:
            self.on_message(message)

    def _hand_out(self, tail: Tail, message: Message) -> None:
        entry = entry_of(message)
        tail.append(entry)
        self.entries.push(entry)
        self._changed(self)

    def _keep_for_later(self, message: Message) -> None:
        """Remember what comes while `open` reads: its head need not include it."""
        early = self._early
        if early is None or early.epoch != message.epoch or early.offset < message.offset:
            self._early = message

    def _start_over(self) -> None:
        if not self._over:
            self._over = True
            self._reset(self)

    def _start_at(self, head: Head) -> None:
        self._epoch = head.epoch
        self._goal = head.last_offset
        self._tail = Tail(
            head.last_offset,
            most_entries=self._limits.recovery_messages,
            most_bytes=self._limits.tail_bytes,
        )

    def _opened(self) -> Tail:
        if self._tail is None or self._over:
            raise StoreUnavailable
        return self._tail


def _write(view: View, outbox: Outbox, entries: Sequence[Entry]) -> None:
    if entries:
        outbox.write(b"".join([view.encode_for_one(entry) for entry in entries]))


async def _drained(outbox: Outbox) -> None:
    """Wait until a connection has taken what was written; its owner limits the time."""
    # A transport has no event for "half empty"; this happens once a page of a long replay.
    while outbox.behind:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
