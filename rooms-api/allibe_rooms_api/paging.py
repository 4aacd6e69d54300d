"""How much a page holds, and where the next one begins.

Where is text that callers hand back and never look into.

Pages of a room list follow the activity, which moves: a room that becomes active while its list
is paged may be seen twice or, if it was still to come, at the top of the next reading.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from aiohttp import hdrs, web

from allibe_services.contracts.errors import BadRequest
from allibe_services.contracts.ids import ROOM_ID_PATTERN, RoomId, UserId, is_user_id
from allibe_services.contracts.messages import milliseconds, moment
from allibe_services.contracts.notifications import DeadPush, Decision
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.rooms import Member, Room

# 14 digits of milliseconds reach the year 5138 and never overflow a datetime.
_ROOM_PLACE = re.compile(rf"([0-9]{{1,14}})\.({ROOM_ID_PATTERN})", re.ASCII).fullmatch

_REASONS = frozenset(reason.value for reason in PushReason)
_DECISION_PLACE = re.compile(
    rf"([0-9]{{1,14}})\.({ROOM_ID_PATTERN})\.([a-z_]{{1,24}})", re.ASCII
).fullmatch

_DEAD_PUSH_PLACE = re.compile(
    r"([0-9]{1,14})\.([0-9a-f-]{36})\.([A-Za-z0-9_-]{0,43})", re.ASCII
).fullmatch

PAGE_BYTES = 1 << 20
"""Most JSON on a page, in bytes: 200 of the longest messages would have 10 MB if all of their
characters are escaped, for each caller that reads slowly."""

T = TypeVar("T")


def fitting(entries: Iterable[T]) -> list[T]:
    """Return the first entries, up to `PAGE_BYTES` of JSON; one at least, so that paging goes on.

    A single entry may be longer than the bound, by the length of one message.
    """
    page: list[T] = []
    left = PAGE_BYTES
    for entry in entries:
        left -= len(msgspec.json.encode(entry))
        if page and left < 0:
            break
        page.append(entry)
    return page


def split(found: Sequence[T], limit: int) -> tuple[list[T], T | None]:
    """Return a page of what was found, and its last entry where more was found than fits.

    At most `limit` entries fit, and `PAGE_BYTES`.
    """
    page = fitting(found[:limit])
    return page, page[-1] if len(found) > len(page) else None


def link(request: web.Request, limit: int, after: str | None) -> dict[str, str]:
    """Return the headers that lead to the next page (RFC 8288), none without one."""
    if after is None:
        return {}
    query = urlencode({"limit": limit, "after": after})
    return {hdrs.LINK: f'<{request.rel_url.raw_path}?{query}>; rel="next"'}


def after_room(room: Room) -> str:
    """Return the text for "after this room" in the order of activity."""
    return _wrap(f"{milliseconds(room.last_message_at or room.created_at)}.{room.room_id}")


def room_place(request: web.Request) -> tuple[datetime, RoomId] | None:
    """Return the activity and id that the query's `after` stands for. Raises `BadRequest`."""
    text = _after(request)
    if text is None:
        return None
    found = _ROOM_PLACE(text)
    if found is None:
        raise _unknown_place()
    return moment(int(found[1])), RoomId(found[2])


def after_member(member: Member) -> str:
    """Return the text for "after this member" in the order of user ids."""
    return _wrap(member.user)


def member_place(request: web.Request) -> UserId | None:
    """Return the user id that the query's `after` stands for. Raises `BadRequest`."""
    text = _after(request)
    if text is None:
        return None
    if not is_user_id(text):
        raise _unknown_place()
    return UserId(text)


def after_decision(decision: Decision) -> str:
    """Return the text for "after this decision" in the order of their times."""
    place = milliseconds(decision.at), decision.room_id, decision.reason.value
    return _wrap(".".join(map(str, place)))


def decision_place(request: web.Request) -> Decision | None:
    """Return the decision, as far as it says its place, that the query's `after` stands for.

    Raises `BadRequest`.
    """
    text = _after(request)
    if text is None:
        return None
    found = _DECISION_PLACE(text)
    if found is None or found[3] not in _REASONS:
        raise _unknown_place()
    return Decision(RoomId(found[2]), PushReason(found[3]), 0, moment(int(found[1])))


def after_dead_push(dead: DeadPush) -> str:
    """Return the text for "after this push" in the order of their ends."""
    return _wrap(f"{milliseconds(dead.at)}.{dead.push_id}.{dead.way}")


def dead_push_place(request: web.Request) -> DeadPush | None:
    """Return the push, as far as it says its place, that the query's `after` stands for.

    Raises `BadRequest`.
    """
    text = _after(request)
    if text is None:
        return None
    found = _DEAD_PUSH_PLACE(text)
    if found is None:
        raise _unknown_place()
    return DeadPush(
        at=moment(int(found[1])),
        push_id=found[2],
        way=found[3],
        user=UserId(""),
        room_id=RoomId(""),
        offset=0,
        service="",
        reason=PushReason.GAVE_UP,
        last=PushReason.GAVE_UP,
        tries=0,
    )


def _wrap(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(request: web.Request) -> str | None:
    wrapped = request.query.get("after")
    if wrapped is None:
        return None
    padded = wrapped + "=" * (-len(wrapped) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        raise _unknown_place() from None


def _unknown_place() -> BadRequest:
    return BadRequest("'after' is not one that this list gave out.")
