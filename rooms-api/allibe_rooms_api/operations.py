"""The table of routes: what the application serves, and what its document says of each.

Summary and description come from the handler's docstring. Errors that follow from the shape of
an operation (it needs a token, names a room, takes a body) are added by `errors_of`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from allibe_rooms_api import examples
from allibe_rooms_api.handlers import (
    admin,
    document,
    members,
    messages,
    notifications,
    pushes,
    rooms,
    tickets,
)
from allibe_rooms_api.problems import (
    BodyTimeout,
    BodyTooLarge,
    InternalError,
    PushOff,
    UnknownSubscription,
    UnsupportedMediaType,
)
from allibe_rooms_api.schemas import (
    MOST_OFFSET,
    Accepted,
    History,
    Mute,
    NewMember,
    NewMessage,
    NewRevocation,
    NewRoom,
    NewSubscription,
    OldSubscription,
    PushKey,
    ReadPosition,
    RenewedSubscription,
    RevocationMade,
    RoleChange,
    RoomSummary,
    TicketMade,
    Wishes,
)
from allibe_services.contracts import errors
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.messages import Message
from allibe_services.contracts.notifications import DeadPush, Decision
from allibe_services.contracts.rooms import Member, ReadMarker, Room

PREFIX = "/api/chat"

_Schema = dict[str, Any]
_Errors = tuple[type[AllibeError], ...]


class Query(msgspec.Struct, frozen=True):
    """A parameter of the query; never required."""

    name: str
    description: str
    schema: _Schema


class Response(msgspec.Struct, frozen=True):
    """A good answer: `kinds` are the types that its body may have, none for no body."""

    description: str
    kinds: tuple[Any, ...] = ()
    example: object = None
    headers: dict[str, str] = {}


class Operation(msgspec.Struct, frozen=True):
    """One method of one path.

    The handler takes a `Call`; that of a `public` operation needs no token and takes the request.
    """

    method: str
    path: str
    responses: dict[int, Response]
    handler: Callable[..., Awaitable[web.StreamResponse]]
    public: bool = False
    query: tuple[Query, ...] = ()
    request: type | None = None
    request_example: object = None
    errors: _Errors = ()


def errors_of(operation: Operation) -> _Errors:
    """Return every error that the operation can answer with."""
    always = (InternalError,) if operation.public else _ALWAYS
    found: list[type[AllibeError]] = [*always, *operation.errors]
    if "{roomId}" in operation.path:
        found += [errors.InvalidRoomId, errors.NotAMember, errors.UnknownRoom]
    if "{user}" in operation.path or operation.query or operation.request:
        found.append(errors.BadRequest)
    if operation.request:
        found += [BodyTimeout, BodyTooLarge, UnsupportedMediaType]
    return tuple(dict.fromkeys(found))


_ALWAYS: _Errors = (
    errors.TokenRequired,
    errors.TokenInvalid,
    errors.TokenExpired,
    errors.TokenRevoked,
    errors.RateLimited,
    errors.KeysUnavailable,
    errors.StoreUnavailable,
    errors.NotConfirmed,
    InternalError,
)

_NEXT_PAGE = {"Link": 'Where there are more: the address of the next page, `rel="next"`.'}
_LOCATION = {"Location": "The address of what was created."}


def _limit(default: int, most: int) -> Query:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Query("limit", "How many at most.", schema)


def _offset(name: str, least: int, description: str) -> Query:
    schema = {"type": "integer", "minimum": least, "maximum": MOST_OFFSET}
    return Query(name, description, schema)


_AFTER = Query(
    "after", "Where the page begins, from `Link` of the page before.", {"type": "string"}
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        "/rooms",
        {200: Response("A page of rooms.", (list[Room],), examples.ROOMS, _NEXT_PAGE)},
        rooms.list_rooms,
        query=(_limit(rooms.ROOMS, rooms.MOST_ROOMS), _AFTER),
    ),
    Operation(
        "POST",
        "/rooms",
        {201: Response("The new room.", (Room,), examples.NEW_ROOM_ANSWER, _LOCATION)},
        rooms.create_room,
        request=NewRoom,
        request_example=examples.NEW_ROOM,
        errors=(errors.InvalidRoomId, errors.NotAllowed, errors.Conflict),
    ),
    Operation(
        "GET",
        "/rooms/{roomId}",
        {200: Response("The room.", (Room, RoomSummary), examples.ROOMS[0])},
        rooms.get_room,
    ),
    Operation(
        "GET",
        "/rooms/{roomId}/messages",
        {200: Response("A page of messages.", (History,), examples.HISTORY)},
        messages.list_messages,
        query=(
            _offset("before", 1, "Messages right before this offset."),
            _offset("after", 0, "Messages right after this offset."),
            _limit(messages.MESSAGES, messages.MOST_MESSAGES),
        ),
    ),
    Operation(
        "POST",
        "/rooms/{roomId}/messages",
        {
            200: Response("The message, which was stored before.", (Message,), examples.MESSAGE),
            201: Response("The message, stored.", (Message,), examples.MESSAGE),
            202: Response("Durable, and stored soon.", (Accepted,), examples.ACCEPTED),
        },
        messages.post_message,
        request=NewMessage,
        request_example=examples.NEW_MESSAGE,
        errors=(
            errors.InvalidContent,
            errors.ContentTooLong,
            errors.SenderMismatch,
            errors.CommandRejected,
            errors.BusUnavailable,
            errors.Overloaded,
            errors.ShuttingDown,
        ),
    ),
    Operation(
        "GET",
        "/rooms/{roomId}/members",
        {200: Response("A page of members.", (list[Member],), [examples.MEMBER], _NEXT_PAGE)},
        members.list_members,
        query=(_limit(members.MEMBERS, members.MOST_MEMBERS), _AFTER),
    ),
    Operation(
        "POST",
        "/rooms/{roomId}/members",
        {201: Response("The new member.", (Member,), examples.MEMBER, _LOCATION)},
        members.add_member,
        request=NewMember,
        request_example=examples.NEW_MEMBER,
        errors=(errors.NotAllowed, errors.Conflict),
    ),
    Operation(
        "PUT",
        "/rooms/{roomId}/members/{user}",
        {200: Response("The member in the new role.", (Member,), examples.MEMBER)},
        members.change_role,
        request=RoleChange,
        request_example=examples.ROLE_CHANGE,
        errors=(errors.NotAllowed, errors.UnknownMember, errors.Conflict),
    ),
    Operation(
        "DELETE",
        "/rooms/{roomId}/members/{user}",
        {204: Response("The membership has ended.")},
        members.remove_member,
        errors=(errors.NotAllowed, errors.UnknownMember, errors.Conflict),
    ),
    Operation(
        "PUT",
        "/rooms/{roomId}/read",
        {200: Response("The read marker, and what is left.", (ReadMarker,), examples.MARKER)},
        members.mark_read,
        request=ReadPosition,
        request_example=examples.READ_POSITION,
    ),
    Operation(
        "PUT",
        "/rooms/{roomId}/mute",
        {204: Response("The room is muted.")},
        notifications.mute_room,
        request=Mute,
        request_example=examples.MUTE,
    ),
    Operation(
        "DELETE",
        "/rooms/{roomId}/mute",
        {204: Response("The room is not muted.")},
        notifications.unmute_room,
    ),
    Operation(
        "GET",
        "/notification-settings",
        {200: Response("What the caller wants.", (Wishes,), examples.WISHES)},
        notifications.get_notification_settings,
    ),
    Operation(
        "PUT",
        "/notification-settings",
        {200: Response("What the caller wants now.", (Wishes,), examples.WISHES)},
        notifications.put_notification_settings,
        request=Wishes,
        request_example=examples.WISHES,
    ),
    Operation(
        "GET",
        "/push-key",
        {200: Response("The key.", (PushKey,), examples.PUSH_KEY)},
        pushes.get_push_key,
        errors=(PushOff,),
    ),
    Operation(
        "PUT",
        "/push-subscriptions",
        {204: Response("The browser is pushed to.")},
        pushes.put_push_subscription,
        request=NewSubscription,
        request_example=examples.NEW_SUBSCRIPTION,
        errors=(PushOff, errors.Conflict),
    ),
    Operation(
        "POST",
        "/push-subscriptions/renewals",
        {204: Response("The browser is pushed to under its new subscription.")},
        pushes.renew_push_subscription,
        public=True,
        request=RenewedSubscription,
        request_example=examples.RENEWED_SUBSCRIPTION,
        errors=(
            PushOff,
            UnknownSubscription,
            errors.RateLimited,
            errors.StoreUnavailable,
            errors.NotConfirmed,
        ),
    ),
    Operation(
        "DELETE",
        "/push-subscriptions",
        {204: Response("The browser is not pushed to.")},
        pushes.delete_push_subscription,
        request=OldSubscription,
        request_example=examples.OLD_SUBSCRIPTION,
    ),
    Operation(
        "POST",
        "/tickets",
        {201: Response("The ticket.", (TicketMade,), examples.TICKET)},
        tickets.create_ticket,
        errors=(errors.LeasesUnavailable, errors.Overloaded),
    ),
    Operation(
        "POST",
        "/admin/revocations",
        {201: Response("It is revoked.", (RevocationMade,), examples.REVOCATION)},
        admin.create_revocation,
        request=NewRevocation,
        request_example=examples.NEW_REVOCATION,
        errors=(errors.NotAllowed, errors.Overloaded),
    ),
    Operation(
        "GET",
        "/admin/users/{user}/notifications",
        {200: Response("A page of decisions.", (list[Decision],), examples.DECISIONS, _NEXT_PAGE)},
        admin.list_notifications,
        query=(_limit(admin.DECISIONS, admin.MOST_DECISIONS), _AFTER),
        errors=(errors.NotAllowed,),
    ),
    Operation(
        "GET",
        "/admin/dead-pushes",
        {200: Response("A page of pushes.", (list[DeadPush],), examples.DEAD_PUSHES, _NEXT_PAGE)},
        admin.list_dead_pushes,
        query=(_limit(admin.DECISIONS, admin.MOST_DECISIONS), _AFTER),
        errors=(errors.NotAllowed,),
    ),
    Operation(
        "GET",
        "/openapi.json",
        {200: Response("This document.", (dict[str, Any],))},
        document.get_document,
        public=True,
    ),
)
"""Every route of the API, under `PREFIX`."""
