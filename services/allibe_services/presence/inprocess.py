"""Presence in the memory of one process."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import COUNTED, LEASE_SECONDS, Lease, Lookers, Screens

_Key = TypeVar("_Key")


class InProcessPresence:
    """`Presence` for one process. `clock` is in seconds, any origin."""

    def __init__(self, *, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._leases: dict[str, tuple[Lease, float]] = {}
        self._of_user: dict[UserId, set[str]] = {}
        self._of_room: dict[RoomId, set[str]] = {}

    async def renew(self, leases: Sequence[Lease]) -> None:
        until = self._clock() + LEASE_SECONDS
        for lease in leases:
            known = self._leases.get(lease.connection_id)
            if known is None or known[0] != lease:
                self._forget(lease.connection_id)
                self._index(lease)
            self._leases[lease.connection_id] = (lease, until)

    async def end(self, connection_ids: Collection[str]) -> None:
        for connection_id in connection_ids:
            self._forget(connection_id)

    async def screens(self, users: Collection[UserId]) -> Screens:
        found = {}
        for user in users:
            living = [one for one in self._of_user.get(user, ()) if self._lives(one)]
            if living:
                found[user] = frozenset().union(*(self._leases[one][0].rooms for one in living))
        return found

    async def lookers(self, rooms: Collection[RoomId], *, most: int) -> dict[RoomId, Lookers]:
        return {room_id: self._lookers(room_id, most) for room_id in rooms}

    async def ping(self) -> None:
        return

    async def close(self) -> None:
        self._leases.clear()
        self._of_user.clear()
        self._of_room.clear()

    def _lookers(self, room_id: RoomId, most: int) -> Lookers:
        living = [one for one in self._of_room.get(room_id, ()) if self._lives(one)]
        if len(living) > COUNTED:
            return Lookers(len(living))
        users = frozenset(self._leases[one][0].user_id for one in living)
        return Lookers(len(users), users if len(users) <= most else None)

    def _lives(self, connection_id: str) -> bool:
        return self._leases[connection_id][1] > self._clock()

    def _index(self, lease: Lease) -> None:
        self._of_user.setdefault(lease.user_id, set()).add(lease.connection_id)
        for room_id in lease.rooms:
            self._of_room.setdefault(room_id, set()).add(lease.connection_id)

    def _forget(self, connection_id: str) -> None:
        known = self._leases.pop(connection_id, None)
        if known is None:
            return
        lease = known[0]
        _discard(self._of_user, lease.user_id, connection_id)
        for room_id in lease.rooms:
            _discard(self._of_room, room_id, connection_id)


def _discard(index: dict[_Key, set[str]], key: _Key, connection_id: str) -> None:
    index[key].discard(connection_id)
    if not index[key]:
        del index[key]
