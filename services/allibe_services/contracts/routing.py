"""Which shard a room's commands go to, and the routing keys of the bus (DESIGN §1)."""

from zlib import crc32

from allibe_services.contracts.ids import RoomId, UserId


def shard_of(room_id: RoomId, shards: int) -> int:
    """Return the shard of a room: the same for every process of a deployment, for ever."""
    return crc32(room_id.encode()) % shards


def command_key(room_id: RoomId, shards: int) -> str:
    """Return the routing key of a room's commands: `<shard>.<roomId>`."""
    return f"{shard_of(room_id, shards)}.{room_id}"


def room_key(room_id: RoomId) -> str:
    """Return the routing key of a room's events."""
    return f"room.{room_id}"


def user_key(user_id: UserId) -> str:
    """Return the routing key of the events that concern one user."""
    return f"user.{user_id}"
