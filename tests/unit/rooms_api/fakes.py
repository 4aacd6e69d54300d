"""A store and a bus in memory, as small as the rooms API can bear, and as strict as the contracts.

Faults are injected by replacing a method in the test.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from allibe_services.bus.base import Delivery, EventHandler, Listening
from allibe_services.contracts.commands import Outcome, PostMessage, Rejected, Stored
from allibe_services.contracts.errors import Conflict, NotAMember, UnknownMember, UnknownRoom
from allibe_services.contracts.events import Event
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message, moment
from allibe_services.contracts.rooms import Head, Member, ReadMarker, Role, Room, Unread
from tests.support.no_pushes import NoPushQueue
from tests.support.revocations import MemoryRevocations
from tests.unit.rooms_api.memory_pushes import MemoryNotifications, MemoryPushes

START = moment(1_740_000_000_000)
EPOCH = "e1"


class _StoredRoom:
    def __init__(self, name: str, created_at: datetime) -> None:
        self.name = name
        self.created_at = created_at
        self.log: list[Message] = []
        self.pruned = 0
        self.members: dict[UserId, Member] = {}

    @property
    def activity(self) -> datetime:
        return self.log[-1].sent_at if self.log else self.created_at


class MemoryStore:
    """`Store`, the three parts of rooms in one object."""

    def __init__(self) -> None:
        self.all: dict[RoomId, _StoredRoom] = {}
        self.created_at = START
        self.revocations = MemoryRevocations()
        self.pushes = MemoryPushes()
        self.notifications = MemoryNotifications(self)
        self.push_queue = NoPushQueue()

    @property
    def log(self) -> "MemoryLog":
        return MemoryLog(self)

    @property
    def rooms(self) -> "MemoryRooms":
        return MemoryRooms(self)

    @property
    def members(self) -> "MemoryMembers":
        return MemoryMembers(self)

    def room(self, room_id: RoomId) -> _StoredRoom:
        if room_id not in self.all:
            raise UnknownRoom
        return self.all[room_id]

    def member(self, room_id: RoomId, user_id: UserId) -> Member:
        try:
            return self.room(room_id).members[user_id]
        except KeyError:
            raise NotAMember from None

    def unread(self, room_id: RoomId, user_id: UserId) -> int:
        read = self.member(room_id, user_id).read_offset
        later = self.room(room_id).log[read:]
        return sum(message.sender != user_id for message in later)

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class _Part:
    def __init__(self, store: MemoryStore) -> None:
        self.store = store


class MemoryLog(_Part):
    """`RoomLog`."""

    async def append(self, commands: Sequence[PostMessage]) -> list[Outcome]:
        return [self._append(command) for command in commands]

    def _append(self, command: PostMessage) -> Outcome:
        if command.room_id not in self.store.all:
            return Rejected("unknown_room", "There is no such room.")
        log = self.store.room(command.room_id).log
        key = command.client_message_id
        for message in log:
            same = (message.sender, message.client_message_id) == (command.sender, key)
            if key is not None and same:
                return Stored(message, duplicate=True)
        message = Message(
            room_id=command.room_id,
            epoch=EPOCH,
            offset=len(log) + 1,
            message_id=command.message_id,
            sender=command.sender,
            content=command.content,
            sent_at=command.sent_at,
            sender_name=command.sender_name,
            client_message_id=key,
        )
        log.append(message)
        return Stored(message)

    async def after(self, room_id: RoomId, offset: int, *, most: int) -> list[Message]:
        room = self.store.room(room_id)
        begin = max(offset, room.pruned)
        return room.log[begin : begin + most]

    async def before(self, room_id: RoomId, offset: int | None, *, most: int) -> list[Message]:
        room = self.store.room(room_id)
        end = len(room.log) if offset is None else offset - 1
        return room.log[room.pruned : end][-most:]

    async def heads(self, room_ids: Collection[RoomId]) -> dict[RoomId, Head]:
        known = [room_id for room_id in room_ids if room_id in self.store.all]
        rooms = {room_id: self.store.all[room_id] for room_id in known}
        return {name: Head(EPOCH, len(room.log), room.pruned) for name, room in rooms.items()}


class MemoryRooms(_Part):
    """`Rooms`."""

    async def create(
        self, name: str, owner: UserId, *, members: Collection[UserId] = (), room_id: RoomId
    ) -> Room:
        if room_id in self.store.all:
            raise Conflict
        self.store.all[room_id] = room = _StoredRoom(name, self.store.created_at)
        for user in (owner, *members):
            role = Role.OWNER if user == owner else Role.MEMBER
            room.members[user] = Member(user, role, self.store.created_at, 0)
        return await self.get(room_id, owner)

    async def get(self, room_id: RoomId, user_id: UserId) -> Room:
        room, member = self.store.room(room_id), self.store.member(room_id, user_id)
        last = room.log[-1] if room.log else None
        return Room(
            room_id=room_id,
            name=room.name,
            last_message=last.content if last else None,
            last_message_at=last.sent_at if last else None,
            last_message_sender=last.sender if last else None,
            unread_count=self.store.unread(room_id, user_id),
            read_offset=member.read_offset,
            last_offset=len(room.log),
            epoch=EPOCH,
            role=member.role,
            created_at=room.created_at,
            muted=(room_id, user_id) in self.store.notifications.muted,
            muted_until=self.store.notifications.muted.get((room_id, user_id)),
        )

    async def of_user(
        self, user_id: UserId, *, most: int, after: tuple[datetime, RoomId] | None = None
    ) -> list[Room]:
        mine = [(key, room) for key, room in self.store.all.items() if user_id in room.members]
        order = sorted(((-room.activity.timestamp(), key) for key, room in mine))
        if after is not None:
            order = [place for place in order if place > (-after[0].timestamp(), after[1])]
        return [await self.get(key, user_id) for _, key in order[:most]]


class MemoryMembers(_Part):
    """`Members`."""

    async def role(self, room_id: RoomId, user_id: UserId) -> Role:
        return self.store.member(room_id, user_id).role

    async def roles(
        self, pairs: Collection[tuple[RoomId, UserId]]
    ) -> dict[tuple[RoomId, UserId], Role]:
        raise NotImplementedError  # for gateways

    async def of_room(
        self, room_id: RoomId, *, most: int, after: UserId | None = None
    ) -> list[Member]:
        members = self.store.room(room_id).members
        return [members[user] for user in sorted(members) if user > (after or "")][:most]

    async def among(self, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
        return set(self.store.room(room_id).members) & set(users)

    async def add(self, room_id: RoomId, user_id: UserId, role: Role) -> Member:
        room = self.store.room(room_id)
        if user_id in room.members:
            raise Conflict
        room.members[user_id] = Member(user_id, role, self.store.created_at, len(room.log))
        return room.members[user_id]

    async def change_role(self, room_id: RoomId, user_id: UserId, role: Role) -> Member:
        member = self._known(room_id, user_id)
        if role is not Role.OWNER:
            self._another_owner(room_id, user_id)
        return self._put(room_id, msgspec.structs.replace(member, role=role))

    async def remove(self, room_id: RoomId, user_id: UserId) -> None:
        self._known(room_id, user_id)
        members = self.store.room(room_id).members
        if len(members) > 1:
            self._another_owner(room_id, user_id)
        del members[user_id]

    async def mark_read(self, room_id: RoomId, user_id: UserId, offset: int) -> ReadMarker:
        member = self.store.member(room_id, user_id)
        reached = max(member.read_offset, min(offset, len(self.store.room(room_id).log)))
        self._put(room_id, msgspec.structs.replace(member, read_offset=reached))
        unread = self.store.unread(room_id, user_id)
        return ReadMarker(room_id, reached, unread, moved=reached > member.read_offset)

    async def unread(
        self, after: Mapping[RoomId, UserId | None], *, most: int
    ) -> dict[RoomId, list[Unread]]:
        raise NotImplementedError

    def _known(self, room_id: RoomId, user_id: UserId) -> Member:
        try:
            return self.store.member(room_id, user_id)
        except NotAMember:
            raise UnknownMember from None

    def _another_owner(self, room_id: RoomId, user_id: UserId) -> None:
        members = self.store.room(room_id).members.values()
        if not any(one.role is Role.OWNER and one.user != user_id for one in members):
            raise Conflict("The room would be left without an owner.")

    def _put(self, room_id: RoomId, member: Member) -> Member:
        self.store.room(room_id).members[member.user] = member
        return member


class RecordingBus:
    """`Bus` that stores what is posted at once, and keeps what is published."""

    shards = 1

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.posted: list[PostMessage] = []
        self.events: list[Event] = []

    def post(self, command: PostMessage) -> "asyncio.Future[Stored | None]":
        self.posted.append(command)
        return asyncio.ensure_future(self._store(command))

    async def _store(self, command: PostMessage) -> Stored | None:
        (outcome,) = await self.store.log.append([command])
        assert isinstance(outcome, Stored)
        return outcome

    async def publish(self, events: Sequence[Event]) -> None:
        self.events += events

    async def lengths(self, shards: Collection[int]) -> dict[int, int]:
        raise NotImplementedError

    async def dead_letters(self) -> int:
        raise NotImplementedError

    def deliveries(self, shard: int, *, most: int) -> AsyncGenerator[Delivery, None]:
        raise NotImplementedError

    async def listen(self, handler: EventHandler) -> Listening:
        raise NotImplementedError

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
