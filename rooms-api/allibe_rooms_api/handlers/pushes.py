"""The caller's browsers that are pushed to."""

from http import HTTPStatus

from aiohttp import web

from allibe_rooms_api.call import Call
from allibe_rooms_api.handlers.answers import answer
from allibe_rooms_api.problems import PushOff
from allibe_rooms_api.reading import read_json
from allibe_rooms_api.schemas import NewSubscription, OldSubscription, PushKey
from allibe_services.contracts.errors import BadRequest
from allibe_services.contracts.push import Subscription
from allibe_services.outbound import UrlRefused


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
    await call.store.pushes.subscribe(call.identity.user_id, _checked(call, new))
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


def _checked(call: Call, new: NewSubscription) -> Subscription:
    """Return the subscription, which may still turn out to be dead; whom its host leads to is
    looked at whenever it is asked."""
    try:
        found = Subscription(new.endpoint, new.keys.p256dh, new.keys.auth)
        call.context.push_rules.checked(found.endpoint)
    except ValueError as error:
        raise BadRequest(f"{error}.") from None
    except UrlRefused as error:
        raise BadRequest(f"endpoint: {error}.") from None
    return found
