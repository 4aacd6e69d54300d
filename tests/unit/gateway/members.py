"""`store.base.Members` in memory, as far as gateways use it."""

import asyncio
from collections.abc import Collection

from allibe_services.contracts.errors import NotAMember, StoreUnavailable
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import ReadMarker, Role
from tests.support.partial_store import NoMembers


class FakeMembers(NoMembers):
    """Who is a member. `free` holds answers back after they were looked up; `away` fails."""

    def __init__(self) -> None:
        self.of: dict[RoomId, set[UserId]] = {}
        self.markers: dict[tuple[RoomId, UserId], int] = {}
        self.asked = 0
        self.away = False
        self.free = asyncio.Event()
        self.free.set()

    def join(self, room_id: RoomId, *users: UserId) -> None:
        self.of.setdefault(room_id, set()).update(users)

    def leave(self, room_id: RoomId, user_id: UserId) -> None:
        self.of[room_id].discard(user_id)

    async def role(self, room_id: RoomId, user_id: UserId) -> Role:
        self.asked += 1
        if self.away:
            raise StoreUnavailable
        known = user_id in self.of.get(room_id, ())
        await self.free.wait()
        if not known:
            raise NotAMember
        return Role.MEMBER

    async def roles(
        self, pairs: Collection[tuple[RoomId, UserId]]
    ) -> dict[tuple[RoomId, UserId], Role]:
        self.asked += 1
        if self.away:
            raise StoreUnavailable
        known = {(room, user) for room, user in pairs if user in self.of.get(room, ())}
        await self.free.wait()
        return dict.fromkeys(known, Role.MEMBER)

    async def mark_read(self, room_id: RoomId, user_id: UserId, offset: int) -> ReadMarker:
        if user_id not in self.of.get(room_id, ()):
            raise NotAMember
        before = self.markers.get((room_id, user_id), 0)
        self.markers[room_id, user_id] = max(before, offset)
        return ReadMarker(room_id, max(before, offset), 7, offset > before)

    async def among(self, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
        return self.of.get(room_id, set()) & set(users)
