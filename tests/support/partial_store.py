"""A `Store` of a log and members; what a test asks nothing of raises `NotImplementedError`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Member, ReadMarker, Role, Room, Unread
from tests.support.no_pushes import NoNotifications, NoPushes, NoPushQueue
from tests.support.revocations import MemoryRevocations

Log = TypeVar("Log")
Members = TypeVar("Members", bound="NoMembers")


class NoRooms:
    """`store.base.Rooms`."""

    async def create(
        self, name: str, owner: UserId, *, members: Collection[UserId] = (), room_id: RoomId
    ) -> Room:
        raise NotImplementedError

    async def get(self, room_id: RoomId, user_id: UserId) -> Room:
        raise NotImplementedError

    async def of_user(
        self, user_id: UserId, *, most: int, after: tuple[datetime, RoomId] | None = None
    ) -> list[Room]:
        raise NotImplementedError


class NoMembers:
    """`store.base.Members`, for those who answer some of it."""

    async def role(self, room_id: RoomId, user_id: UserId) -> Role:
        raise NotImplementedError

    async def roles(
        self, pairs: Collection[tuple[RoomId, UserId]]
    ) -> dict[tuple[RoomId, UserId], Role]:
        raise NotImplementedError

    async def of_room(
        self, room_id: RoomId, *, most: int, after: UserId | None = None
    ) -> list[Member]:
        raise NotImplementedError

    async def among(self, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
        raise NotImplementedError

    async def add(self, room_id: RoomId, user_id: UserId, role: Role) -> Member:
        raise NotImplementedError

    async def change_role(self, room_id: RoomId, user_id: UserId, role: Role) -> Member:
        raise NotImplementedError

    async def remove(self, room_id: RoomId, user_id: UserId) -> None:
        raise NotImplementedError

    async def mark_read(self, room_id: RoomId, user_id: UserId, offset: int) -> ReadMarker:
        raise NotImplementedError

    async def unread(
        self, after: Mapping[RoomId, UserId | None], *, most: int
    ) -> dict[RoomId, list[Unread]]:
        raise NotImplementedError


class PartialStore(Generic[Log, Members]):
    """`store.base.Store`. Revocations are kept; there are no rooms, pushes or notifications."""

    def __init__(self, log: Log, members: Members) -> None:
        self.log = log
        self.members = members
        self.rooms = NoRooms()
        self.revocations = MemoryRevocations()
        self.pushes = NoPushes()
        self.notifications = NoNotifications()
        self.push_queue = NoPushQueue()

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
