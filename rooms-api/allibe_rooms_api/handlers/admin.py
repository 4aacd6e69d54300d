"""What only the system may do: revocations, and asking why users were or were not told."""

from datetime import datetime, timedelta
from http import HTTPStatus

import structlog
from aiohttp import web

from allibe_rooms_api import paging
from allibe_rooms_api.call import Call
from allibe_rooms_api.handlers.answers import answer
from allibe_rooms_api.permissions import is_system
from allibe_rooms_api.reading import path_user, query_limit, read_json, user_id_in
from allibe_rooms_api.schemas import NewRevocation, RevocationMade
from allibe_services.contracts.errors import BadRequest, NotAllowed
from allibe_services.contracts.ids import is_token_id
from allibe_services.contracts.revocations import Kind

LONGEST = timedelta(days=366)
"""How far ahead a revocation may end."""

DECISIONS = 100
MOST_DECISIONS = 500

log = structlog.get_logger(__name__)


async def create_revocation(call: Call) -> web.Response:
    """Revoke a token, or all that a user has.

    Within two seconds they are refused everywhere, and the connections that they opened end with
    close code 4407. A token that was issued later is good: later than the second in which the
    revocation was made, where tokens say whole seconds. Repeated, it counts from the last time.
    Of a user no browser is pushed to any more, until it is subscribed anew.
    """
    _require_system(call)
    new = await read_json(call.request, NewRevocation)
    kind, subject = _subject(new)
    made = await call.store.revocations.revoke(kind, subject, expires_at=_end(call, new))
    log.info("revoked", kind=kind, number=made.number)
    body = RevocationMade(made.revoked_at, made.expires_at, **{f"{kind}_id": subject})
    return answer(body, HTTPStatus.CREATED)


async def list_notifications(call: Call) -> web.Response:
    """Show why a user was, or was not, pushed news of a room: the decisions of the last day.

    The newest first; of a room and a reason only the last. Where there are more, the header `Link`
    with `rel="next"` has the address of the next page.
    """
    _require_system(call)
    user = path_user(call.request)
    limit = query_limit(call.request, default=DECISIONS, most=MOST_DECISIONS)
    place = paging.decision_place(call.request)
    found = await call.store.notifications.decisions(user, most=limit + 1, after=place)
    page, last = paging.split(found, limit)
    after = None if last is None else paging.after_decision(last)
    return answer(page, headers=paging.link(call.request, limit, after))


async def list_dead_pushes(call: Call) -> web.Response:
    """Show all users' pushes that ended undeliverable: those of the last 7 days.

    The newest first, one for each browser, and for the webhook. What a message was about is in its
    room, unread; its push is not sent again. Paged as a user's decisions.
    """
    _require_system(call)
    limit = query_limit(call.request, default=DECISIONS, most=MOST_DECISIONS)
    place = paging.dead_push_place(call.request)
    found = await call.store.notifications.dead(most=limit + 1, after=place)
    page, last = paging.split(found, limit)
    after = None if last is None else paging.after_dead_push(last)
    return answer(page, headers=paging.link(call.request, limit, after))


def _require_system(call: Call) -> None:
    if not is_system(call.identity):
        raise NotAllowed("This needs a token of scope chat:admin.")


def _subject(new: NewRevocation) -> tuple[Kind, str]:
    if (new.user_id is None) == (new.token_id is None):
        raise BadRequest("Give a userId or a tokenId, one of the two.")
    if new.user_id is not None:
        return "user", user_id_in(new.user_id)
    token_id = new.token_id or ""
    if not is_token_id(token_id):
        raise BadRequest("A tokenId is 1 to 256 printable ASCII characters, without space.")
    return "token", token_id


def _end(call: Call, new: NewRevocation) -> datetime:
    present = call.context.clock()
    if new.expires_at is None:
        return present + timedelta(seconds=call.context.token_life)
    if not present < new.expires_at <= present + LONGEST:
        raise BadRequest("expiresAt lies in the future, a year ahead at most.")
    return new.expires_at
