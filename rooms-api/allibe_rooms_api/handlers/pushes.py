"""The caller's browsers that are pushed to."""

from http import HTTPStatus

from aiohttp import web

from allibe_rooms_api.call import CONTEXT, Call, Context
from allibe_rooms_api.handlers.answers import answer
from allibe_rooms_api.problems import PushOff, UnknownSubscription
from allibe_rooms_api.reading import read_json
from allibe_rooms_api.schemas import NewSubscription, OldSubscription, PushKey, RenewedSubscription
from allibe_services.contracts.errors import BadRequest
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.push import Subscription
from allibe_services.outbound import UrlRefused

_STRANGERS = UserId("* renew")
"""Whose requests renewals count as: nobody's, all strangers' together."""


async def get_push_key(call: Call) -> web.Response:
    """Show the public key that browsers subscribe with.

    When it changes, browsers must subscribe anew: push services take only what the same key's
    private half has signed.
    """
    return answer(PushKey(_key(call)))


async def put_push_subscription(call: Call) -> web.Response:
    """Push to this browser from now on.

    The body is what `PushSubscription.toJSON()` says; what else is in there is ignored. Repeated,
    it replaces the keys. A browser has one user: the last one who put it here. Of a user's more
    than 20 browsers those that were put here first are forgotten.
    """
    _key(call)
    new = await read_json(call.request, NewSubscription)
    await call.store.pushes.subscribe(call.identity.user_id, _checked(call.context, new))
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def renew_push_subscription(request: web.Request) -> web.Response:
    """Push to this browser under its new subscription: it replaces the old one, of the same user.

    For a service worker, which hears of the change (`pushsubscriptionchange`) while no page is
    open, and has no token: the old subscription's endpoint and secret (`keys.auth`) stand for one.
    They are good for this alone, and once. Whoever knows an endpoint alone is refused, as for one
    that is unknown.
    """
    context = request.app[CONTEXT]
    if context.push_key is None:
        raise PushOff
    renewed = await read_json(request, RenewedSubscription)
    new = _checked(context, renewed.new)
    context.limiter.request(_STRANGERS)
    old = renewed.old
    if await context.store.pushes.renew(old.endpoint, old.auth, new) is None:
        raise UnknownSubscription
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def delete_push_subscription(call: Call) -> web.Response:
    """Push to this browser no more; one that is unknown, or another user's, is no error."""
    old = await read_json(call.request, OldSubscription)
    await call.store.pushes.unsubscribe(call.identity.user_id, old.endpoint)
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _key(call: Call) -> str:
    if call.context.push_key is None:
        raise PushOff
    return call.context.push_key


def _checked(context: Context, new: NewSubscription) -> Subscription:
    """Return the subscription, which may still turn out to be dead; whom its host leads to is
    looked at whenever it is asked."""
    try:
        found = Subscription(new.endpoint, new.keys.p256dh, new.keys.auth)
        context.push_rules.checked(found.endpoint)
    except ValueError as error:
        raise BadRequest(f"{error}.") from None
    except UrlRefused as error:
        raise BadRequest(f"endpoint: {error}.") from None
    return found
