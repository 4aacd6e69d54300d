"""Who hears of a message besides those who look at the room: its other connected members.

Works behind the log, never in its way: rooms with news are remembered, several messages of a
room become one round, and what fails in a round is tried again in a later one.
"""

import asyncio
from collections.abc import Collection, Sequence

import structlog

from allibe_fanout_worker.rests import Rests
from allibe_services.bus.base import Bus
from allibe_services.contracts.commands import Outcome, Stored
from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.events import Event, Notification, RoomChanged
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Unread
from allibe_services.presence.base import Presence
from allibe_services.store.base import Store

ROUND_SECONDS = 0.1
"""Pause between rounds: nobody waits for a badge, and a busy room costs ten rounds a second, and
a large one fewer (`rests`)."""

RETRY_SECONDS = 2.0
"""Pause after a round in which something failed: store, presence or bus are away."""

FINISH_SECONDS = 1.0
"""How long a process that ends may still tell of news; what is left then is told to nobody."""

PAGE = 500
"""Members of a room looked at in one query."""

ROOMS = 50
"""Rooms looked at together, in one transaction: by themselves they would be as many."""

EVENTS = 1000
"""Events published at a time: half a page of them may hold the message."""

ROOMS_WITH_NEWS = 10_000
"""Most rooms remembered; beyond that the oldest news is dropped (lists are right on reload)."""

_Pages = dict[RoomId, list[Unread]]
_Counts = dict[tuple[RoomId, UserId], int]

log = structlog.get_logger(__name__)


class Notifier:
    """Turns stored messages into user events for connected members."""

    def __init__(self, store: Store, presence: Presence, bus: Bus) -> None:
        self._store = store
        self._presence = presence
        self._bus = bus
        self._news: dict[RoomId, Stored] = {}
        self._rests = Rests()
        self._woken = asyncio.Event()
        self._telling = asyncio.Lock()

    def stored(self, outcomes: Sequence[Outcome]) -> None:
        """Remember that rooms have news. Returns at once."""
        self._remember([outcome for outcome in outcomes if isinstance(outcome, Stored)])
        self._woken.set()

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(ROUND_SECONDS)
            self._woken.clear()
            if await self._round():
                await asyncio.sleep(RETRY_SECONDS)
            if self._news:
                self._woken.set()

    async def finish(self) -> None:
        """Tell of what is left, a round under way included; the end of `run` would drop it."""
        try:
            async with asyncio.timeout(FINISH_SECONDS), self._telling:
                self._rests = Rests()  # not before: the round under way lets its room rest
                await self._tell_all()
        except TimeoutError:
            log.warning("notifications_cut_off", seconds=FINISH_SECONDS)

    async def _round(self) -> int:
        """Tell of the news of rooms that do not rest; return how many could not be told."""
        async with self._telling:
            return await self._tell_all()

    async def _tell_all(self) -> int:
        failed = []
        news = self._take_news()
        for start in range(0, len(news), ROOMS):
            some = news[start : start + ROOMS]
            try:
                await self._tell([one.message for one in some if await self._is_fresh(one)])
            except Unavailable:
                failed += some
        if failed:
            log.warning("notifications_put_off", rooms=len(failed))
            self._remember(failed)
        return len(failed)

    def _take_news(self) -> list[Stored]:
        """Return what there is to tell now; what is of rooms that rest stays."""
        resting = self._rests.resting(asyncio.get_running_loop().time())
        news = self._news
        self._news = {room_id: one for room_id, one in news.items() if room_id in resting}
        return [one for room_id, one in news.items() if room_id not in resting]

    def _remember(self, news: Collection[Stored]) -> None:
        for one in news:
            known = self._news.get(one.message.room_id)
            if known is None or not _is_later(known.message, one.message):
                self._news[one.message.room_id] = one
        while len(self._news) > ROOMS_WITH_NEWS:
            del self._news[next(iter(self._news))]

    async def _is_fresh(self, news: Stored) -> bool:
        """Tell whether the room's list entry may show the message.

        A duplicate may be one whose worker died before it told anybody, or one that a client
        repeats a day later.
        """
        message = news.message
        if not news.duplicate:
            return True
        head = (await self._store.log.heads([message.room_id])).get(message.room_id)
        end = None if head is None else (head.epoch, head.last_offset)
        return end == (message.epoch, message.offset)

    async def _tell(self, messages: Sequence[Message]) -> None:
        """Tell the members of these rooms, of all rooms together; of large ones page by page."""
        news = {message.room_id: message for message in messages}
        time = asyncio.get_running_loop().time
        after: dict[RoomId, UserId | None] = dict.fromkeys(news)
        while after:
            began = time()
            pages = await self._store.members.unread(after, most=PAGE)
            await self._correct(await self._tell_of(news, pages), after)
            sizes = {room_id: len(page) for room_id, page in pages.items()}
            self._rests.rest(sizes, began, time())
            after = {room_id: page[-1].user for room_id, page in pages.items() if len(page) == PAGE}

    async def _tell_of(self, news: dict[RoomId, Message], pages: _Pages) -> _Counts:
        """Tell those on these pages who are connected; return what they were told."""
        users = {one.user for page in pages.values() for one in page}
        screens = await self._presence.screens(users)
        events: list[Event] = []
        counts: _Counts = {}
        for room_id, page in pages.items():
            for one in page:
                if (screen := screens.get(one.user)) is not None:
                    events += _events(one, news[room_id], looks=room_id in screen)
                    counts[room_id, one.user] = one.unread_count
        for start in range(0, len(events), EVENTS):
            await self._bus.publish(events[start : start + EVENTS])
        return counts

    async def _correct(self, told: _Counts, after: dict[RoomId, UserId | None]) -> None:
        """Tell those anew who read while they were told: what they heard of that came before.

        Further messages are news of their own.
        """
        told = {one: count for one, count in told.items() if count > 0}
        while told:
            rooms = {room_id: after[room_id] for room_id, _ in told}
            pages = await self._store.members.unread(rooms, most=PAGE)
            told = {
                (room_id, one.user): one.unread_count
                for room_id, page in pages.items()
                for one in page
                if one.unread_count < told.get((room_id, one.user), 0)
            }
            if told:
                changes = [RoomChanged(user, room, count) for (room, user), count in told.items()]
                await self._bus.publish(changes)


def _is_later(message: Message, other: Message) -> bool:
    return message.epoch == other.epoch and message.offset > other.offset


def _events(member: Unread, message: Message, *, looks: bool) -> list[Event]:
    changed = RoomChanged(
        to=member.user,
        room_id=message.room_id,
        unread_count=member.unread_count,
        last_message=message.content,
        last_message_at=message.sent_at,
        last_message_sender=message.sender,
    )
    if looks or member.user == message.sender:
        return [changed]
    notification = Notification(
        to=member.user,
        room_id=message.room_id,
        message=message,
        unread_count=member.unread_count,
    )
    return [changed, notification]
