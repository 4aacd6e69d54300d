"""A room's members: who they are, in which role, and how far the caller has read."""

from http import HTTPStatus
from urllib.parse import quote

from aiohttp import hdrs, web

from allibe_rooms_api import paging
from allibe_rooms_api.announce import announce
from allibe_rooms_api.call import Call
from allibe_rooms_api.handlers.answers import answer
from allibe_rooms_api.permissions import Action, adding, removing, require, standing
from allibe_rooms_api.reading import path_room, path_user, query_limit, read_json, user_id_in
from allibe_rooms_api.schemas import NewMember, ReadPosition, RoleChange
from allibe_services.contracts.errors import NotAMember, UnknownMember
from allibe_services.contracts.events import (
    Event,
    MemberAdded,
    MemberRead,
    MemberRemoved,
    RoomChanged,
    RoomJoined,
    RoomLeft,
)
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Member, Role

MEMBERS = 100
MOST_MEMBERS = 500


async def list_members(call: Call) -> web.Response:
    """List the room's members, sorted by user id.

    Where there are more, the header `Link` with `rel="next"` has the address of the next page.
    """
    room_id = path_room(call.request)
    limit = query_limit(call.request, default=MEMBERS, most=MOST_MEMBERS)
    place = paging.member_place(call.request)
    require(await standing(call.store.members, call.identity, room_id), Action.READ)
    found = await call.store.members.of_room(room_id, most=limit + 1, after=place)
    page, last = paging.split(found, limit)
    after = None if last is None else paging.after_member(last)
    return answer(page, headers=paging.link(call.request, limit, after))


async def add_member(call: Call) -> web.Response:
    """Make a user a member of the room, who has read all so far.

    Owners and admins may; only owners make owners and admins. Who is a member already stays
    what he is: a conflict.
    """
    room_id = path_room(call.request)
    new = await read_json(call.request, NewMember)
    user = user_id_in(new.user)
    require(await standing(call.store.members, call.identity, room_id), adding(new.role))
    member = await call.store.members.add(room_id, user, new.role)
    await announce(call, _joined(room_id, member))
    location = f"{call.request.rel_url.raw_path}/{quote(user, safe='')}"
    return answer(member, HTTPStatus.CREATED, {hdrs.LOCATION: location})


async def change_role(call: Call) -> web.Response:
    """Give a member another role. Owners may; the last owner stays one."""
    room_id, user = path_room(call.request), path_user(call.request)
    change = await read_json(call.request, RoleChange)
    require(await standing(call.store.members, call.identity, room_id), Action.CHANGE_ROLE)
    member = await call.store.members.change_role(room_id, user, change.role)
    await announce(call, _joined(room_id, member))
    return answer(member)


async def remove_member(call: Call) -> web.Response:
    """End a membership: one's own (leave), or another's.

    Admins remove members, owners remove anyone. The last owner can leave only as the last
    member. Repeated after 503 or 504, 404 `unknown_member` may mean that the first try did it.
    """
    room_id, user = path_room(call.request), path_user(call.request)
    ended: list[Event] = [MemberRemoved(room_id, user), RoomLeft(user, room_id)]
    try:
        if user != call.identity.user_id:
            await _require_removal(call, room_id, user)
        await call.store.members.remove(room_id, user)
    except UnknownMember:
        # An earlier try may have been committed after it was given up, and then told nobody:
        # without the events the subscriptions of who was removed would live on.
        await announce(call, ended)
        raise
    await announce(call, ended)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def mark_read(call: Call) -> web.Response:
    """Move the caller's read marker forward, at most to the end of the log; never back."""
    room_id = path_room(call.request)
    read = await read_json(call.request, ReadPosition)
    user = call.identity.user_id
    marker = await call.store.members.mark_read(room_id, user, read.offset)
    if marker.moved:
        changed = RoomChanged(user, room_id, unread_count=marker.unread_count)
        await announce(call, [MemberRead(room_id, user, marker.offset), changed])
    return answer(marker)


async def _require_removal(call: Call, room_id: RoomId, user: UserId) -> None:
    caller = await standing(call.store.members, call.identity, room_id)
    # Asked first: who may remove nobody is told so, whoever it was to be.
    require(caller, Action.REMOVE_MEMBER)
    require(caller, removing(await _role(call, room_id, user)))


async def _role(call: Call, room_id: RoomId, user: UserId) -> Role:
    try:
        return await call.store.members.role(room_id, user)
    except NotAMember:
        raise UnknownMember from None


def _joined(room_id: RoomId, member: Member) -> list[Event]:
    return [
        MemberAdded(room_id, member.user, member.role),
        RoomJoined(member.user, room_id, member.role),
    ]
