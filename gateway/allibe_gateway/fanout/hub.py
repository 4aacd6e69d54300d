"""All rooms of a gateway: who listens to what, dispatch, one flush per loop tick."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from allibe_gateway.comparing import Comparing
from allibe_gateway.fanout.audience import View
from allibe_gateway.fanout.bindings import Bindings
from allibe_gateway.fanout.outbox import Outbox
from allibe_gateway.fanout.room_feed import FeedLimits, Joined, RoomFeed
from allibe_services import tracing
from allibe_services.bus.base import Bus
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.events import Event, RoomPresence, ScreensChanged, UserEvent
from allibe_services.contracts.ids import Position, RoomId, UserId
from allibe_services.contracts.messages import Message, now
from allibe_services.contracts.revocations import Revocation
from allibe_services.contracts.routing import room_key, user_key
from allibe_services.store.base import RoomLog
from allibe_services.telemetry import GatewayMetrics

LINGER_SECONDS = 30.0
"""How long a room stays bound after its last subscriber: people come back to what they left."""

log = structlog.get_logger(__name__)


class UserListener(Protocol):
    """Who takes the events of one user: a session."""

    def on_user_event(self, event: UserEvent) -> None:
        """Take an event; must return soon and raise nothing."""
        ...

    def on_log_reset(self, room_id: RoomId) -> None:
        """The room's log has another epoch: what was delivered means nothing any more."""
        ...

    def on_revocations(self) -> None:
        """Tokens were revoked, perhaps this one's; must return soon and raise nothing."""
        ...

    def rooms(self) -> Collection[RoomId]:
        """Return the rooms that this listener subscribes to."""
        ...


class _Place:
    """A room's feed, its users, and whether it is bound and open yet."""

    __slots__ = ("bound", "feed", "linger", "opening", "users")

    def __init__(self, feed: RoomFeed) -> None:
        self.feed = feed
        self.users = 0
        self.bound = False
        self.opening: asyncio.Task[None] | None = None
        self.linger: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """End what runs for the room."""
        if self.linger is not None:
            self.linger.cancel()
        if self.opening is not None:
            self.opening.cancel()
        self.feed.close()


class Hub:
    """Fan-out of one gateway. Use as an async context manager."""

    def __init__(
        self, bus: Bus, room_log: RoomLog, limits: FeedLimits, metrics: GatewayMetrics
    ) -> None:
        self._bus = bus
        self._log = room_log
        self._limits = limits
        self._metrics = metrics
        self._places: dict[RoomId, _Place] = {}
        self._listeners: dict[UserId, set[UserListener]] = {}
        self._dirty: set[RoomFeed] = set()
        self._comparing = Comparing("heads", self._compare)
        self._when_in_doubt: list[Callable[[], None]] = []
        self._open_bindings: Bindings | None = None
        self._screens_changed: Callable[[RoomId], None] | None = None
        self._when_written: Callable[[], int] | None = None
        self._written = self._look_after = 0

    async def open(self) -> None:
        """Take a place on the bus."""
        self._open_bindings = Bindings(await self._bus.listen(self))

    async def close(self) -> None:
        """Leave the bus, stop all feeds."""
        for place in tuple(self._places.values()):
            self._forget(place)
        if self._open_bindings is not None:
            await self._open_bindings.close()

    async def run(self) -> None:
        """Compare rooms with the log, now and then and whenever events may have been lost."""
        await self._comparing.run()

    def when_in_doubt(self, call: Callable[[], None]) -> None:
        """Make this call, too, whenever events may have been lost. It raises nothing."""
        self._when_in_doubt.append(call)

    def when_screens_change(self, call: Callable[[RoomId], None]) -> None:
        """Make this call for a room where somebody wants to know who is here, and does not.

        It raises nothing, and asks for `show_presence`.
        """
        self._screens_changed = call

    def when_written(self, call: Callable[[], int]) -> None:
        """Make this call at once, and each time that so many bytes of rooms' logs as it returned
        were written to subscribers. It raises nothing.
        """
        self._when_written = call
        self._look_after = call()

    # Subscribers

    async def join(
        self, room_id: RoomId, view: View, outbox: Outbox, since: Position | None
    ) -> Joined:
        """Subscribe to a room's log: see `RoomFeed.join`. Raises `UnknownRoom`, `Unavailable`."""
        place = await self._enter(room_id)
        try:
            return await place.feed.join(view, outbox, since)
        except BaseException:
            self._leave(place)
            raise

    def part(self, room_id: RoomId, view: View, outbox: Outbox) -> None:
        """End a subscription to a room's log."""
        place = self._places.get(room_id)
        if place is not None and place.feed.entries.remove(view, outbox):
            self._leave(place)

    def users_by_room(self) -> dict[RoomId, set[UserId]]:
        """Return which users subscribe to which rooms here."""
        users: dict[RoomId, set[UserId]] = {}
        for user_id, listeners in self._listeners.items():
            for listener in listeners:
                for room_id in listener.rooms():
                    users.setdefault(room_id, set()).add(user_id)
        return users

    def position(self, room_id: RoomId) -> Position | None:
        """Return up to where subscribers have everything of a room that is open here."""
        place = self._places.get(room_id)
        return None if place is None else Position(room_id, place.feed.epoch, place.feed.last)

    def is_open(self, room_id: RoomId) -> bool:
        """Tell whether the room is open here: who joins without recovery then waits for nothing."""
        place = self._places.get(room_id)
        return place is not None and place.opening is None

    def is_current(self, position: Position) -> bool:
        """Tell whether the position is of the present epoch of a room that is open here."""
        place = self._places.get(position.room_id)
        return place is not None and place.feed.epoch == position.epoch

    async def join_activity(self, room_id: RoomId, view: View, outbox: Outbox) -> None:
        """Subscribe to what passes by in a room, first to who is here. Raises as `join`."""
        place = await self._enter(room_id)
        if not place.feed.activity.add(view, outbox):
            self._ask_for_presence(place)

    def part_activity(self, room_id: RoomId, view: View, outbox: Outbox) -> None:
        """End a subscription to what passes by."""
        place = self._places.get(room_id)
        if place is not None and place.feed.activity.remove(view, outbox):
            self._leave(place)

    def watched(self) -> list[RoomId]:
        """Return the rooms where somebody wants to know who is here."""
        return [room_id for room_id, place in self._places.items() if place.feed.activity]

    def show_presence(self, presence: RoomPresence) -> None:
        """Hand out who is in a room, to those who want to know and do not."""
        place = self._places.get(presence.room_id)
        if place is not None:
            place.feed.activity.show(presence)

    async def attach(self, user_id: UserId, listener: UserListener) -> None:
        """Hand a user's events to the listener from now on. Raises `Unavailable`: it is not."""
        await self._bindings.want(user_key(user_id))
        self._listeners.setdefault(user_id, set()).add(listener)

    def detach(self, user_id: UserId, listener: UserListener) -> None:
        """Stop handing a user's events to the listener."""
        listeners = self._listeners.get(user_id, set())
        if listener not in listeners:
            return
        listeners.remove(listener)
        if not listeners:
            del self._listeners[user_id]
        self._bindings.drop(user_key(user_id))

    # Events

    def on_events(self, events: Sequence[Event]) -> None:
        """Take events from the bus (`EventHandler`)."""
        arrived = now()
        for event in events:
            if isinstance(event, Message):
                self._on_message(event, arrived)
            elif isinstance(event, UserEvent):
                for listener in tuple(self._listeners.get(event.to, ())):
                    _guarded(partial(listener.on_user_event, event))
            elif (place := self._places.get(event.room_id)) is None:
                continue
            elif isinstance(event, ScreensChanged):
                self._ask_for_presence(place)
            else:
                place.feed.activity.push(event)

    def on_revocations(self, revocations: Sequence[Revocation]) -> None:
        """Let those look at their tokens whom new revocations may concern."""
        if any(one.kind == "token" for one in revocations):
            concerned: Collection[UserId] = tuple(self._listeners)
        else:
            concerned = {UserId(one.subject) for one in revocations}
        for user_id in concerned:
            for listener in tuple(self._listeners.get(user_id, ())):
                _guarded(listener.on_revocations)

    def on_doubt(self) -> None:
        """Compare soon: events may have been lost (`EventHandler`)."""
        self._metrics.doubts.inc()
        self._comparing.doubt()
        for call in self._when_in_doubt:
            call()

    def _on_message(self, message: Message, arrived: datetime) -> None:
        place = self._places.get(message.room_id)
        if place is not None and place.feed.on_message(message):
            self._metrics.send_to_delivery.observe((arrived - message.sent_at).total_seconds())
            if tracing.current is not None:
                tracing.current.delivering(message)

    def _changed(self, feed: RoomFeed) -> None:
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.add(feed)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, set()
        deliveries = 0
        for feed in dirty:
            try:
                deliveries += feed.flush()
                self._written += feed.entries.take_written()
            except Exception:
                log.exception("fan_out_failed", room=feed.room_id)
        self._metrics.deliveries.inc(deliveries)
        if tracing.current is not None:
            tracing.current.delivered()
        if self._written >= self._look_after and self._when_written is not None:
            self._written, self._look_after = 0, self._when_written()

    def _ask_for_presence(self, place: _Place) -> None:
        if self._screens_changed is not None and place.feed.activity:
            self._screens_changed(place.feed.room_id)

    # Rooms

    async def _enter(self, room_id: RoomId) -> _Place:
        """Return the room's place, open, with one user more."""
        place = self._places.get(room_id)
        if place is None:
            place = self._places[room_id] = _Place(self._new_feed(room_id))
            place.opening = asyncio.create_task(self._open(place), name="open-room")
            place.opening.add_done_callback(_retrieve)
            self._metrics.rooms.inc()
        if place.linger is not None:
            place.linger.cancel()
            place.linger = None
        place.users += 1
        try:
            await _opened(place)
        except BaseException:
            self._leave(place)
            raise
        return place

    async def _open(self, place: _Place) -> None:
        try:
            await self._bindings.want(room_key(place.feed.room_id))
            place.bound = True
            await place.feed.open()
        except BaseException:
            place.opening = None
            self._forget(place)  # whoever comes next tries afresh
            raise
        place.opening = None

    def _leave(self, place: _Place) -> None:
        place.users -= 1
        if place.users == 0 and self._places.get(place.feed.room_id) is place:
            loop = asyncio.get_running_loop()
            place.linger = loop.call_later(LINGER_SECONDS, self._forget, place)

    def _forget(self, place: _Place) -> None:
        """Let the room go; may be called again."""
        room_id = place.feed.room_id
        if self._places.get(room_id) is place:
            del self._places[room_id]
            self._metrics.rooms.dec()
        if place.bound:
            place.bound = False
            self._bindings.drop(room_key(room_id))
        place.stop()

    def _new_feed(self, room_id: RoomId) -> RoomFeed:
        return RoomFeed(
            room_id,
            self._log,
            self._limits,
            changed=self._changed,
            reset=self._reset,
            gap=self._metrics.gaps.inc,
        )

    def _reset(self, feed: RoomFeed) -> None:
        """Start a room afresh under its new epoch; its subscribers come back and are told."""
        place = self._places.get(feed.room_id)
        if place is None or place.feed is not feed:
            return
        log.warning("room_log_reset", room=feed.room_id)
        self._forget(place)
        for listeners in tuple(self._listeners.values()):
            for listener in tuple(listeners):
                _guarded(partial(listener.on_log_reset, feed.room_id))

    async def _compare(self) -> None:
        feeds = [place.feed for place in self._places.values() if place.opening is None]
        seen = [feed.last for feed in feeds]
        heads = await self._log.heads([feed.room_id for feed in feeds])
        for feed, last in zip(feeds, seen, strict=True):
            if (head := heads.get(feed.room_id)) is not None:
                feed.compare(head, seen=last)

    @property
    def _bindings(self) -> Bindings:
        if self._open_bindings is None:
            raise RuntimeError("the hub is not open")
        return self._open_bindings


def _guarded(call: Callable[[], None]) -> None:
    """Make a call that must raise nothing; if it does, the others' events go on."""
    try:
        call()
    except Exception:
        log.exception("fan_out_failed")


def _retrieve(opening: "asyncio.Task[None]") -> None:
    """Take notice of the error: all who waited may be gone."""
    if not opening.cancelled():
        opening.exception()


async def _opened(place: _Place) -> None:
    """Return once the room is open; who waits may be cancelled without harm to the others.

    Raises what opening it raised, and `StoreUnavailable` when the hub closed meanwhile.
    """
    opening = place.opening
    if opening is None:
        return
    await asyncio.wait((opening,))
    if opening.cancelled():
        raise StoreUnavailable
    opening.result()
