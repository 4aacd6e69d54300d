"""`Pushes` and `Notifications` that a test without pushes never asks."""

from datetime import datetime

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.notifications import Decision, NotificationSettings, QuietHours
from allibe_services.contracts.push import Subscription


class NoPushes:
    """`store.base.Pushes`."""

    async def subscribe(self, user: UserId, subscription: Subscription) -> None:
        raise NotImplementedError

    async def unsubscribe(self, user: UserId, endpoint: str) -> None:
        raise NotImplementedError

    async def subscriptions(self, user: UserId) -> list[Subscription]:
        raise NotImplementedError


class NoNotifications:
    """`store.base.Notifications`."""

    async def settings(self, user: UserId) -> NotificationSettings:
        raise NotImplementedError

    async def change_settings(
        self, user: UserId, *, quiet_hours: QuietHours | None
    ) -> NotificationSettings:
        raise NotImplementedError

    async def mute(self, user: UserId, room_id: RoomId, until: datetime | None) -> None:
        raise NotImplementedError

    async def unmute(self, user: UserId, room_id: RoomId) -> None:
        raise NotImplementedError

    async def decisions(self, user: UserId, *, most: int = 1000) -> list[Decision]:
        raise NotImplementedError
