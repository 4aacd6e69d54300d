"""The SQL of push subscriptions: where users' browsers are reached. Functions of a connection."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from sqlalchemy import Connection, bindparam, delete, or_, select

from allibe_services.contracts.errors import Conflict
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.messages import milliseconds, now
from allibe_services.contracts.push import Subscription
from allibe_services.store.base import MOST_SUBSCRIPTIONS
from allibe_services.store.dialects import OneOf, Upsert
from allibe_services.store.tables import push_subscriptions

_USER_ID, _AUTH = push_subscriptions.c.user_id, push_subscriptions.c.auth
_USER = push_subscriptions.c.user_id == bindparam("user")
_NEWEST_FIRST = (push_subscriptions.c.created_at.desc(), push_subscriptions.c.subscription_id)

_PUT = Upsert(
    push_subscriptions,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["subscription_id"],
        set_={
            name: insert.excluded[name]
            for name in ("user_id", "endpoint", "p256dh", "auth", "created_at")
        },
        # Who only knows an endpoint takes no browser away from its user: its secret shows that it
        # is the same browser.
        where=or_(insert.excluded.user_id == _USER_ID, insert.excluded.auth == _AUTH),
    ),
)
_HELD = (
    select(_USER_ID, _AUTH)
    .where(push_subscriptions.c.subscription_id == bindparam("id"))
    .with_for_update()
)
_IDS = (
    select(push_subscriptions.c.subscription_id)
    .where(_USER)
    .order_by(*_NEWEST_FIRST)
    .limit(MOST_SUBSCRIPTIONS + 100)
)
_REMOVE = delete(push_subscriptions).where(
    OneOf(push_subscriptions.c.subscription_id, "ids"), _USER
)
_REMOVE_ALL = delete(push_subscriptions).where(_USER)
_ALL = (
    select(push_subscriptions.c.endpoint, push_subscriptions.c.p256dh, push_subscriptions.c.auth)
    .where(_USER)
    .order_by(*_NEWEST_FIRST)
)


def id_of(endpoint: str) -> str:
    """Return the id under which an endpoint is kept: a hash, in base64url."""
    digest = hashlib.sha256(endpoint.encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def subscribe(connection: Connection, user: UserId, subscription: Subscription) -> None:
    """Keep a subscription as this user's; of too many the oldest are forgotten.

    Raises `Conflict` where the endpoint is another user's under another secret.
    """
    row = {
        "subscription_id": id_of(subscription.endpoint),
        "user_id": user,
        "endpoint": subscription.endpoint,
        "p256dh": subscription.p256dh,
        "auth": subscription.auth,
        "created_at": milliseconds(now()),
    }
    _PUT(connection, [row])
    if connection.execute(_HELD, {"id": row["subscription_id"]}).one().user_id != user:
        raise Conflict("The endpoint is that of another user's browser.")
    kept = connection.execute(_IDS, {"user": user}).scalars().all()
    if len(kept) > MOST_SUBSCRIPTIONS:
        connection.execute(_REMOVE, {"user": user, "ids": list(kept[MOST_SUBSCRIPTIONS:])})


def renew(connection: Connection, endpoint: str, auth: str, new: Subscription) -> UserId | None:
    """Put a subscription in the place of the one with that endpoint and secret; tell whose it is.

    None: there is no such one. A new endpoint that is known already keeps user and keys.
    """
    held = connection.execute(_HELD, {"id": id_of(endpoint)}).one_or_none()
    if held is None or not hmac.compare_digest(_bare(held.auth), _bare(auth)):
        return None
    user = UserId(held.user_id)
    is_known = connection.execute(_HELD, {"id": id_of(new.endpoint)}).one_or_none() is not None
    if new.endpoint != endpoint:
        unsubscribe(connection, user, endpoint)
    if new.endpoint == endpoint or not is_known:
        subscribe(connection, user, new)
    return user


def unsubscribe(connection: Connection, user: UserId, endpoint: str) -> None:
    """Forget a subscription of this user's; an unknown one, or another user's, is ignored."""
    connection.execute(_REMOVE, {"user": user, "ids": [id_of(endpoint)]})


def unsubscribe_all(connection: Connection, user: UserId) -> None:
    """Forget all of a user's subscriptions."""
    connection.execute(_REMOVE_ALL, {"user": user})


def of_user(connection: Connection, user: UserId) -> list[Subscription]:
    """Return the user's subscriptions, the newest first."""
    return [Subscription(*row) for row in connection.execute(_ALL, {"user": user})]


def _bare(auth: str) -> bytes:
    return auth.rstrip("=").encode()
