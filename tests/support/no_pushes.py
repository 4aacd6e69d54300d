"""`Pushes`, `Notifications` and `PushQueue` that a test without pushes never asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.notifications import (
    DeadPush,
    Decision,
    NotificationSettings,
    QuietHours,
)
from allibe_services.contracts.push import Subscription
from allibe_services.contracts.push_queue import DuePush, NewsPage, PushClaim, PushEnd, Scheduling


class NoPushes:
    """`store.base.Pushes`."""

    async def subscribe(self, user: UserId, subscription: Subscription) -> None:
        raise NotImplementedError

    async def renew(self, endpoint: str, auth: str, new: Subscription) -> UserId | None:
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

    async def decisions(
        self, user: UserId, *, most: int = 1000, after: Decision | None = None
    ) -> list[Decision]:
        raise NotImplementedError

    async def dead(self, *, most: int, after: DeadPush | None = None) -> list[DeadPush]:
        raise NotImplementedError


class NoPushQueue:
    """`store.base.PushQueue`."""

    async def page(self, room_id: RoomId, *, most: int) -> NewsPage | None:
        raise NotImplementedError

    async def schedule(
        self, page: NewsPage, decided: Sequence[Scheduling], *, expires_at: datetime
    ) -> bool:
        raise NotImplementedError

    async def behind(
        self, after: RoomId | None, *, most: int, since: datetime, until: datetime
    ) -> tuple[list[RoomId], RoomId | None]:
        raise NotImplementedError

    async def claim(self, *, most: int, length: timedelta) -> PushClaim:
        raise NotImplementedError

    async def due(self, users: Sequence[UserId]) -> list[DuePush]:
        raise NotImplementedError

    async def end(self, ends: Sequence[PushEnd], *, newer_at: datetime) -> None:
        raise NotImplementedError

    async def forget(self, *, most: int) -> int:
        raise NotImplementedError
