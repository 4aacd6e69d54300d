"""What one connection subscribes to: begun, parted and revoked, each exactly once."""

import asyncio
from collections.abc import Callable
from typing import Literal

import msgspec

from allibe_gateway.fanout.audience import View
from allibe_gateway.fanout.outbox import Outbox
from allibe_gateway.fanout.room_feed import Joined
from allibe_gateway.shared import Shared
from allibe_services.contracts.errors import (
    Conflict,
    NotAMember,
    StoreUnavailable,
    TooManySubscriptions,
    Unavailable,
)
from allibe_services.contracts.ids import Position, RoomId

Stream = Literal["log", "activity"]


class RoomSubscription(msgspec.Struct, frozen=True):
    """A connection's subscription to one stream of a room, under the id its door gave it."""

    id: str
    room_id: RoomId
    stream: Stream
    view: View


class Subscriptions:
    """The subscriptions of one connection.

    `screen_changed` is called when a room comes onto the screen or goes: a log, not activity.
    """

    __slots__ = ("_by_id", "_joining", "_outbox", "_screen_changed", "_shared")

    def __init__(
        self, shared: Shared, outbox: Outbox, screen_changed: Callable[[RoomId], None]
    ) -> None:
        self._by_id: dict[str, RoomSubscription] = {}
        self._shared = shared
        self._outbox = outbox
        self._screen_changed = screen_changed
        self._joining: tuple[RoomSubscription, asyncio.Timeout] | None = None

    def __contains__(self, subscription_id: str) -> bool:
        return subscription_id in self._by_id

    def ids(self) -> list[str]:
        """Return the ids in use, oldest first."""
        return list(self._by_id)

    def of_room(self, room_id: RoomId) -> list[RoomSubscription]:
        """Return those to any stream of the room."""
        return [one for one in self._by_id.values() if one.room_id == room_id]

    def rooms(self) -> set[RoomId]:
        """Return the rooms of all of them."""
        return {one.room_id for one in self._by_id.values()}

    def rooms_on_screen(self) -> set[RoomId]:
        """Return the rooms whose log is subscribed to."""
        return {one.room_id for one in self._by_id.values() if one.stream == "log"}

    async def begin(self, subscription: RoomSubscription, since: Position | None) -> Joined | None:
        """Begin one; for a log, after replaying what follows `since`, and with where it stands.

        Raises `Conflict` (id in use), `TooManySubscriptions`, `UnknownRoom`, `Unavailable`, and
        `NotAMember` when it was revoked meanwhile.
        """
        if since is None:
            return await self._begin(subscription, None)
        metrics = self._shared.metrics
        with metrics.recovery_seconds.time():
            try:
                joined = await self._begin(subscription, since)
            except Unavailable:
                metrics.recoveries.labels("failed").inc()
                raise
        if joined is not None:
            result = "complete" if joined.recovered else "incomplete"
            metrics.recoveries.labels(result).inc()
        return joined

    async def _begin(self, subscription: RoomSubscription, since: Position | None) -> Joined | None:
        """Do what `begin` says."""
        if subscription.id in self._by_id:
            raise Conflict("The subscription id is in use on this connection.")
        full = len(self._by_id) >= self._shared.limits.subscriptions
        if full and self._shared.limiter.exceeds("subscriptions"):
            raise TooManySubscriptions
        self._remember(subscription)
        try:
            if since is None and self._shared.hub.is_open(subscription.room_id):
                joined = await self._join(subscription, None)  # no wait to be bounded
            else:
                joined = await self._join_in_time(subscription, since)
        except TimeoutError:
            if self._forget(subscription.id) is None:
                raise NotAMember from None  # it was `revoke` that cut the time short
            if self._outbox.behind:
                self._outbox.overflow()  # it was the peer that took too long over its replay
            raise StoreUnavailable from None
        except BaseException:
            self._forget(subscription.id)
            raise
        finally:
            self._joining = None
        if self._by_id.get(subscription.id) is not subscription:
            self._part(subscription)
            raise NotAMember
        self._changed(subscription)
        return joined

    def end(self, subscription_id: str) -> None:
        """End one; an unknown id is no error (it may have ended by itself)."""
        subscription = self._forget(subscription_id)
        if subscription is not None:
            self._part(subscription)
            self._changed(subscription)

    def revoke(self, subscription: RoomSubscription) -> bool:
        """End one; whether it had begun. One that is being joined ends with `begin`, at once."""
        self.end(subscription.id)
        if self._joining is None or self._joining[0] is not subscription:
            return True
        if not self._joining[1].expired():
            self._joining[1].reschedule(asyncio.get_running_loop().time())
        return False

    async def _join_in_time(
        self, subscription: RoomSubscription, since: Position | None
    ) -> Joined | None:
        """Join; `revoke` cuts the time for it short. Raises `TimeoutError`."""
        async with asyncio.timeout(self._shared.limits.subscribe_seconds) as limit:
            self._joining = subscription, limit
            return await self._join(subscription, since)

    async def _join(self, subscription: RoomSubscription, since: Position | None) -> Joined | None:
        hub, room_id, view = self._shared.hub, subscription.room_id, subscription.view
        if subscription.stream == "activity":
            await hub.join_activity(room_id, view, self._outbox)
            return None
        return await hub.join(room_id, view, self._outbox, since)

    def _part(self, subscription: RoomSubscription) -> None:
        hub = self._shared.hub
        part = hub.part if subscription.stream == "log" else hub.part_activity
        part(subscription.room_id, subscription.view, self._outbox)

    def _changed(self, subscription: RoomSubscription) -> None:
        if subscription.stream == "log":
            self._screen_changed(subscription.room_id)

    def _remember(self, subscription: RoomSubscription) -> None:
        self._by_id[subscription.id] = subscription
        self._shared.metrics.subscriptions.inc()

    def _forget(self, subscription_id: str) -> RoomSubscription | None:
        subscription = self._by_id.pop(subscription_id, None)
        if subscription is not None:
            self._shared.metrics.subscriptions.dec()
        return subscription
