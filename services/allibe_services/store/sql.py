"""The store over a SQL database: hands functions of `log`, `rooms`, … to it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, String, column, select, table

from allibe_services.contracts.commands import Outcome, PostMessage
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.notifications import (
    DeadPush,
    Decision,
    NotificationSettings,
    QuietHours,
)
from allibe_services.contracts.push import Subscription
from allibe_services.contracts.push_queue import DuePush, NewsPage, PushClaim, PushEnd, Scheduling
from allibe_services.contracts.revocations import Kind, Revocation
from allibe_services.contracts.rooms import Head, Member, ReadMarker, Role, Room, Unread
from allibe_services.store import (
    dead_pushes,
    log,
    members,
    notifications,
    push_decisions,
    push_schedule,
    push_turns,
    revocations,
    rooms,
    subscriptions,
    unread,
)
from allibe_services.store.database import Database
from allibe_services.store.revisions import check_revision

_logger = structlog.get_logger(__name__)

_VERSION = column("version_num", String)
_REVISION = select(_VERSION).select_from(table("alembic_version"))


class SqlStore:
    """`Store` over a database, which it closes with itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: str | None = None
        self.log = _Log(database)
        self.rooms = _Rooms(database)
        self.members = _Members(database)
        self.revocations = _Revocations(database)
        self.pushes = _Pushes(database)
        self.notifications = _Notifications(database)
        self.push_queue = _PushQueue(database)

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless writes would be taken and the schema is current."""
        await self._database.ping()
        revision = await self._database.read(_revision)
        try:
            check_revision(revision)
        except ValueError as error:
            if self._told != str(error):
                self._told = str(error)
                _logger.warning("database_not_current", reason=self._told)
            raise StoreUnavailable(str(error)) from None
        self._told = None

    async def close(self) -> None:
        """Finish what runs, close all connections."""
        await self._database.close()


class _Log:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, commands: Sequence[PostMessage]) -> list[Outcome]:
        if not commands:
            return []
        try:
            return await self._database.write(log.append, commands)
        except log.MetBefore:
            return await self._database.write(log.append_with_care, commands)

    async def after(self, room_id: RoomId, offset: int, *, most: int) -> list[Message]:
        return await self._database.read(log.after, room_id, offset, most)

    async def before(self, room_id: RoomId, offset: int | None, *, most: int) -> list[Message]:
        return await self._database.read(log.before, room_id, offset, most)

    async def heads(self, room_ids: Collection[RoomId]) -> dict[RoomId, Head]:
        if not room_ids:
            return {}
        return await self._database.read(log.heads, room_ids)


class _Rooms:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, name: str, owner: UserId, *, members: Collection[UserId] = (), room_id: RoomId
    ) -> Room:
        return await self._database.write(rooms.create, name, owner, members, room_id)

    async def get(self, room_id: RoomId, user_id: UserId) -> Room:
        return await self._database.read(rooms.get, room_id, user_id)

    async def of_user(
        self, user_id: UserId, *, most: int, after: tuple[datetime, RoomId] | None = None
    ) -> list[Room]:
        return await self._database.read(rooms.of_user, user_id, most, after)


class _Members:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def role(self, room_id: RoomId, user_id: UserId) -> Role:
        return await self._database.read(members.role, room_id, user_id)

    async def roles(
        self, pairs: Collection[tuple[RoomId, UserId]]
    ) -> dict[tuple[RoomId, UserId], Role]:
        return await self._database.read(members.roles, pairs)

    async def of_room(
        self, room_id: RoomId, *, most: int, after: UserId | None = None
    ) -> list[Member]:
        return await self._database.read(members.of_room, room_id, most, after)

    async def among(self, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
        return await self._database.read(members.among, room_id, users)

    async def add(self, room_id: RoomId, user_id: UserId, role: Role) -> Member:
        return await self._database.write(members.add, room_id, user_id, role)

    async def change_role(self, room_id: RoomId, user_id: UserId, role: Role) -> Member:
        return await self._database.write(members.change_role, room_id, user_id, role)

    async def remove(self, room_id: RoomId, user_id: UserId) -> None:
        await self._database.write(members.remove, room_id, user_id)

    async def mark_read(self, room_id: RoomId, user_id: UserId, offset: int) -> ReadMarker:
        return await self._database.write(members.mark_read, room_id, user_id, offset)

    async def unread(
        self, after: Mapping[RoomId, UserId | None], *, most: int
    ) -> dict[RoomId, list[Unread]]:
        return await self._database.read(unread.unread, after, most)


class _Revocations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def revoke(self, kind: Kind, subject: str, *, expires_at: datetime) -> Revocation:
        return await self._database.write(revocations.add, kind, subject, expires_at)

    async def after(self, number: int, *, most: int) -> tuple[int, list[Revocation]]:
        return await self._database.read(revocations.after, number, most)


class _Pushes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def subscribe(self, user: UserId, subscription: Subscription) -> None:
        await self._database.write(subscriptions.subscribe, user, subscription)

    async def renew(self, endpoint: str, auth: str, new: Subscription) -> UserId | None:
        return await self._database.write(subscriptions.renew, endpoint, auth, new)

    async def unsubscribe(self, user: UserId, endpoint: str) -> None:
        await self._database.write(subscriptions.unsubscribe, user, endpoint)

    async def subscriptions(self, user: UserId) -> list[Subscription]:
        return await self._database.read(subscriptions.of_user, user)


class _Notifications:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self, user: UserId) -> NotificationSettings:
        return await self._database.read(notifications.settings, user)

    async def change_settings(
        self, user: UserId, *, quiet_hours: QuietHours | None
    ) -> NotificationSettings:
        return await self._database.write(notifications.change_settings, user, quiet_hours)

    async def mute(self, user: UserId, room_id: RoomId, until: datetime | None) -> None:
        await self._database.write(notifications.mute, user, room_id, until)

    async def unmute(self, user: UserId, room_id: RoomId) -> None:
        await self._database.write(notifications.unmute, user, room_id)

    async def decisions(
        self, user: UserId, *, most: int = 1000, after: Decision | None = None
    ) -> list[Decision]:
        return await self._database.read(notifications.decisions, user, most, after)

    async def dead(self, *, most: int, after: DeadPush | None = None) -> list[DeadPush]:
        return await self._database.read(dead_pushes.newest, most, after)


class _PushQueue:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, room_id: RoomId, *, most: int) -> NewsPage | None:
        return await self._database.read(push_schedule.page, room_id, most)

    async def schedule(
        self, page: NewsPage, decided: Sequence[Scheduling], *, expires_at: datetime
    ) -> bool:
        return await self._database.write(push_schedule.schedule, page, decided, expires_at)

    async def behind(
        self, after: RoomId | None, *, most: int, since: datetime, until: datetime
    ) -> tuple[list[RoomId], RoomId | None]:
        return await self._database.read(push_schedule.behind, after, most, since, until)

    async def claim(self, *, most: int, length: timedelta) -> PushClaim:
        return await self._database.write(push_turns.claim, most, length)

    async def due(self, users: Sequence[UserId]) -> list[DuePush]:
        return await self._database.read(push_turns.due, users) if users else []

    async def end(self, ends: Sequence[PushEnd], *, newer_at: datetime) -> None:
        if ends:
            await self._database.write(push_turns.end, ends, newer_at)

    async def forget(self, *, most: int) -> int:
        decisions = await self._database.write(push_decisions.forget, most)
        return max(decisions, await self._database.write(dead_pushes.forget, most))


def _revision(connection: Connection) -> str | None:
    return connection.execute(_REVISION).scalar_one_or_none()
