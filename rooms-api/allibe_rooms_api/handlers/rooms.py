"""The list of the caller's rooms, one room, and new rooms."""

from http import HTTPStatus

from aiohttp import hdrs, web
from uuid_utils import uuid7

from allibe_rooms_api import paging
from allibe_rooms_api.announce import announce
from allibe_rooms_api.call import Call
from allibe_rooms_api.handlers.answers import answer
from allibe_rooms_api.permissions import is_system
from allibe_rooms_api.reading import (
    path_room,
    query_limit,
    read_json,
    room_id_in,
    user_id_in,
    user_ids_in,
)
from allibe_rooms_api.schemas import NewRoom, RoomSummary
from allibe_services.contracts.content import check_name
from allibe_services.contracts.errors import NotAllowed, NotAMember, UnknownRoom
from allibe_services.contracts.events import RoomJoined
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Role, Room

ROOMS = 100
"""Rooms on a page when the caller does not say: more than most people have."""

MOST_ROOMS = 500


async def list_rooms(call: Call) -> web.Response:
    """List the caller's rooms, the latest activity first.

    Where there are more, the header `Link` with `rel="next"` has the address of the next page.
    A page ends at about 1 MiB, then it has fewer rooms than `limit`.
    """
    limit = query_limit(call.request, default=ROOMS, most=MOST_ROOMS)
    place = paging.room_place(call.request)
    found = await call.store.rooms.of_user(call.identity.user_id, most=limit + 1, after=place)
    page, last = paging.split(found, limit)
    after = None if last is None else paging.after_room(last)
    return answer(page, headers=paging.link(call.request, limit, after))


async def create_room(call: Call) -> web.Response:
    """Create a room and make the caller its owner.

    The answer shows the room as its owner sees it. A `roomId` that is taken is a conflict.
    """
    new = await read_json(call.request, NewRoom)
    check_name(new.name)
    room_id = room_id_in(new.room_id) if new.room_id is not None else RoomId(str(uuid7()))
    owner = _owner(call, new)
    members = [user for user in user_ids_in(new.members) if user != owner]
    room = await call.store.rooms.create(new.name, owner, members=members, room_id=room_id)
    joined = [RoomJoined(user, room_id, Role.MEMBER) for user in members]
    await announce(call, [RoomJoined(owner, room_id, Role.OWNER), *joined])
    location: dict[str, str] = {hdrs.LOCATION: f"{call.request.rel_url.raw_path}/{room_id}"}
    return answer(room, HTTPStatus.CREATED, location)


async def get_room(call: Call) -> web.Response:
    """Show a room as the caller sees it.

    The system, where it is no member, sees what is the same for all members.
    """
    room_id = path_room(call.request)
    try:
        room = await call.store.rooms.get(room_id, call.identity.user_id)
    except NotAMember:
        if not is_system(call.identity):
            raise
        return answer(RoomSummary.of(await _seen_by_anyone(call, room_id)))
    return answer(room)


def _owner(call: Call, new: NewRoom) -> UserId:
    caller = call.identity.user_id
    owner = caller if new.owner is None else user_id_in(new.owner)
    if owner != caller and not is_system(call.identity):
        raise NotAllowed("To create rooms for others needs a token of scope chat:admin.")
    return owner


async def _seen_by_anyone(call: Call, room_id: RoomId) -> Room:
    # The store shows rooms to members only, so the system looks through the eyes of the first.
    members = await call.store.members.of_room(room_id, most=1)
    if not members:
        raise UnknownRoom
    return await call.store.rooms.get(room_id, members[0].user)
