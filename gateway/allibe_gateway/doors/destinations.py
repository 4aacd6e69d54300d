"""What STOMP clients may subscribe to. Everything else is refused, wildcards included."""

from typing import Literal

import msgspec

from allibe_gateway.subscriptions import Stream
from allibe_services.contracts.content import checked_room_id
from allibe_services.contracts.errors import UnknownDestination
from allibe_services.contracts.ids import RoomId

_ROOMS = "/topic/rooms/"
_ACTIVITY = "/activity"

UserQueueName = Literal["notifications", "rooms", "errors"]


class RoomStream(msgspec.Struct, frozen=True):
    """`/topic/rooms/{roomId}` or `/topic/rooms/{roomId}/activity`."""

    room_id: RoomId
    stream: Stream


class UserQueue(msgspec.Struct, frozen=True):
    """`/user/queue/{name}`: always the queue of whoever asks."""

    name: UserQueueName


_USER_QUEUES = {
    "/user/queue/notifications": UserQueue("notifications"),
    "/user/queue/rooms": UserQueue("rooms"),
    "/user/queue/errors": UserQueue("errors"),
}


def parse(destination: str) -> RoomStream | UserQueue:
    """Return what a destination names. Raises `UnknownDestination`, `InvalidRoomId`."""
    if destination in _USER_QUEUES:
        return _USER_QUEUES[destination]
    if not destination.startswith(_ROOMS):
        raise UnknownDestination
    room = destination.removeprefix(_ROOMS)
    if room.endswith(_ACTIVITY):
        return RoomStream(checked_room_id(room.removesuffix(_ACTIVITY)), "activity")
    return RoomStream(checked_room_id(room), "log")
