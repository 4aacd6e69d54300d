"""`Pushes` and `Notifications` in memory: what was asked for can be looked at."""

from datetime import datetime
from typing import TYPE_CHECKING

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.notifications import (
    DeadPush,
    Decision,
    MutedRoom,
    NotificationSettings,
    QuietHours,
)
from allibe_services.contracts.push import Subscription

if TYPE_CHECKING:
    from tests.unit.rooms_api.fakes import MemoryStore


class MemoryPushes:
    """`store.base.Pushes`."""

    def __init__(self) -> None:
        self.kept: list[tuple[UserId, Subscription]] = []

    async def subscribe(self, user: UserId, subscription: Subscription) -> None:
        others = [one for one in self.kept if one[1].endpoint != subscription.endpoint]
        self.kept = [(user, subscription), *others]

    async def renew(self, endpoint: str, auth: str, new: Subscription) -> UserId | None:
        for user, known in self.kept:
            if (known.endpoint, known.auth) == (endpoint, auth):
                await self.unsubscribe(user, endpoint)
                await self.subscribe(user, new)
                return user
        return None

    async def unsubscribe(self, user: UserId, endpoint: str) -> None:
        self.kept = [one for one in self.kept if (one[0], one[1].endpoint) != (user, endpoint)]

    async def subscriptions(self, user: UserId) -> list[Subscription]:
        return [subscription for owner, subscription in self.kept if owner == user]


class MemoryNotifications:
    """`store.base.Notifications`. Tests put into `decided` what a user's decisions are, and into
    `undeliverable` what is dead, the newest first."""

    def __init__(self, store: "MemoryStore") -> None:
        self._store = store
        self.quiet: dict[UserId, QuietHours | None] = {}
        self.muted: dict[tuple[RoomId, UserId], datetime | None] = {}
        self.decided: dict[UserId, list[Decision]] = {}
        self.undeliverable: list[DeadPush] = []

    async def settings(self, user: UserId) -> NotificationSettings:
        muted = [MutedRoom(key[0], self.muted[key]) for key in self.muted if key[1] == user]
        return NotificationSettings(self.quiet.get(user), tuple(muted))

    async def change_settings(
        self, user: UserId, *, quiet_hours: QuietHours | None
    ) -> NotificationSettings:
        self.quiet[user] = quiet_hours
        return await self.settings(user)

    async def mute(self, user: UserId, room_id: RoomId, until: datetime | None) -> None:
        self._store.member(room_id, user)
        self.muted[room_id, user] = until

    async def unmute(self, user: UserId, room_id: RoomId) -> None:
        self._store.member(room_id, user)
        self.muted.pop((room_id, user), None)

    async def decisions(
        self, user: UserId, *, most: int = 1000, after: Decision | None = None
    ) -> list[Decision]:
        found = sorted(self.decided.get(user, []), key=_place)
        return [one for one in found if after is None or _place(one) > _place(after)][:most]

    async def dead(self, *, most: int, after: DeadPush | None = None) -> list[DeadPush]:
        begin = 0
        if after is not None:
            ids = [one.push_id for one in self.undeliverable]
            begin = ids.index(after.push_id) + 1
        return self.undeliverable[begin:][:most]


def _place(decision: Decision) -> tuple[float, str, str]:
    return -decision.at.timestamp(), decision.room_id, decision.reason
