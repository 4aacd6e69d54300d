"""Who hears of a message besides those who look at the room: its other connected members.

Works behind the log, never in its way: rooms with news are remembered, several messages of a
room become one round, and a round that fails is tried again with the next.
"""

import asyncio

import structlog

from allibe_services.bus.base import Bus
from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.events import Event, Notification, RoomChanged
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Unread
from allibe_services.presence.base import Presence
from allibe_services.store.base import Store

ROUND_SECONDS = 0.1
"""Pause between rounds: nobody waits for a badge, and a busy room costs ten rounds a second."""

PAGE = 500
"""Members looked at in one query."""

ROOMS_WITH_NEWS = 10_000
"""Most rooms remembered; beyond that the oldest news is dropped (lists are right on reload)."""

log = structlog.get_logger(__name__)


class Notifier:
    """Turns stored messages into user events for connected members."""

    def __init__(self, store: Store, presence: Presence, bus: Bus) -> None:
        self._store = store
        self._presence = presence
        self._bus = bus
        self._news: dict[RoomId, Message] = {}
        self._woken = asyncio.Event()

    def stored(self, messages: list[Message]) -> None:
        """Remember that these rooms have news. Returns at once."""
        for message in messages:
            self._news[message.room_id] = message
        while len(self._news) > ROOMS_WITH_NEWS:
            del self._news[next(iter(self._news))]
        self._woken.set()

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(ROUND_SECONDS)
            self._woken.clear()
            await self._round()

    async def _round(self) -> None:
        news, self._news = self._news, {}
        for room_id, message in news.items():
            try:
                await self._tell(room_id, message)
            except Unavailable as error:
                log.warning("notification_skipped", code=error.code)

    async def _tell(self, room_id: RoomId, message: Message) -> None:
        looking = await self._presence.looking(room_id)
        after: UserId | None = None
        while page := await self._store.members.unread(room_id, most=PAGE, after=after):
            connected = await self._presence.connected([one.user for one in page])
            events = [
                event
                for one in page
                if one.user in connected
                for event in _events(one, message, looks=one.user in looking)
            ]
            if events:
                await self._bus.publish(events)
            after = page[-1].user


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
