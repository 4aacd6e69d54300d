"""A room's history, and new messages."""

from http import HTTPStatus

import msgspec
from aiohttp import web

from allibe_rooms_api import paging
from allibe_rooms_api.call import Call
from allibe_rooms_api.handlers.answers import answer
from allibe_rooms_api.permissions import ALLOWED, Action, Standing, is_system, require, standing
from allibe_rooms_api.reading import path_room, query_limit, query_number, read_json, user_id_in
from allibe_rooms_api.schemas import Accepted, History, NewMessage
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.content import check_content
from allibe_services.contracts.errors import BadRequest, SenderMismatch, UnknownRoom
from allibe_services.contracts.ids import (
    RoomId,
    UserId,
    is_client_message_id,
    new_message_id,
)
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Head

MESSAGES = 50
"""Messages on a page when the caller does not say: a few screens."""

MOST_MESSAGES = 200


async def list_messages(call: Call) -> web.Response:
    """Show a page of the room's messages, oldest first; without `before` and `after` the newest.

    `before` and `after` are offsets, exclusive; one of them at a time. A page that ends at
    `lastOffset` is complete: what comes later has greater offsets. A page ends at about 1 MiB,
    then with fewer messages than `limit`: `nextBefore` and `nextAfter` say where there are more.
    """
    room_id = path_room(call.request)
    limit = query_limit(call.request, default=MESSAGES, most=MOST_MESSAGES)
    before = query_number(call.request, "before", least=1)
    after = query_number(call.request, "after")
    if before is not None and after is not None:
        raise BadRequest("'before' and 'after' exclude one another.")
    require(await standing(call.store.members, call.identity, room_id), Action.READ)
    if after is not None:
        messages = paging.fitting(await call.store.log.after(room_id, after, most=limit))
    else:
        newest_first = reversed(await call.store.log.before(room_id, before, most=limit))
        messages = paging.fitting(newest_first)[::-1]
    # Read after the messages: read before them, the end of the log could lie behind the page.
    head = await _head(call, room_id)
    end = after if after is not None else (before or 1) - 1
    return answer(_page(messages, min(end, head.last_offset), head))


async def post_message(call: Call) -> web.Response:
    """Post a message: the same way in as over the WebSocket.

    201 with the message where its storing is awaited, 200 where it was stored before under
    the same `clientMessageId`, 202 where it is durable and will be stored soon.
    """
    room_id = path_room(call.request)
    new = await read_json(call.request, NewMessage)
    check_content(new.content)
    caller = await standing(call.store.members, call.identity, room_id)
    require(caller, Action.POST)
    command = _command(call, caller, room_id, new)
    if not is_system(call.identity):
        call.context.limiter.post(command.sender, room_id)
    stored = await call.bus.post(command)
    if stored is None:
        accepted = Accepted(command.message_id, room_id, command.client_message_id)
        return answer(accepted, HTTPStatus.ACCEPTED)
    status = HTTPStatus.OK if stored.duplicate else HTTPStatus.CREATED
    return answer(stored.message, status)


async def _head(call: Call, room_id: RoomId) -> Head:
    heads = await call.store.log.heads([room_id])
    if room_id not in heads:
        raise UnknownRoom
    return heads[room_id]


def _page(messages: list[Message], empty_at: int, head: Head) -> History:
    """Return the page; an empty one lies between the offsets `empty_at` and `empty_at` + 1.

    Nothing lies before what was pruned, and whoever comes from there goes on behind it.
    """
    empty_at = max(empty_at, head.pruned_offset)
    first = messages[0].offset if messages else empty_at + 1
    last = messages[-1].offset if messages else empty_at
    return History(
        messages=messages,
        epoch=head.epoch,
        last_offset=head.last_offset,
        next_before=first if first > head.pruned_offset + 1 else msgspec.UNSET,
        next_after=last if last < head.last_offset else msgspec.UNSET,
    )


def _command(call: Call, caller: Standing, room_id: RoomId, new: NewMessage) -> PostMessage:
    sender = _sender(call, caller, new)
    if new.client_message_id is not None and not is_client_message_id(new.client_message_id):
        raise BadRequest("A clientMessageId is 1 to 64 printable ASCII without space.")
    return PostMessage(
        message_id=new_message_id(),
        room_id=room_id,
        sender=sender,
        content=new.content,
        sent_at=call.context.clock(),
        # The name in the token is that of the token's user, nobody else's.
        sender_name=call.identity.name if sender == call.identity.user_id else None,
        client_message_id=new.client_message_id,
    )


def _sender(call: Call, caller: Standing, new: NewMessage) -> UserId:
    if new.sender is None or new.sender == call.identity.user_id:
        return call.identity.user_id
    if Action.POST_AS_ANOTHER not in ALLOWED[caller]:
        raise SenderMismatch
    return user_id_in(new.sender)
