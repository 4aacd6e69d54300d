"""Questions to presence as tests ask them."""

from collections.abc import Collection

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import COUNTED, Presence


async def connected(presence: Presence, users: Collection[UserId]) -> set[UserId]:
    """Return those of the users who are connected."""
    return set(await presence.screens(users))


async def looking(presence: Presence, room_id: RoomId) -> set[UserId]:
    """Return who has the room on the screen; there must not be more than are told by name."""
    lookers = (await presence.lookers([room_id], most=COUNTED))[room_id]
    assert lookers.users is not None
    return set(lookers.users)
