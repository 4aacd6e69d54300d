"""The SQL of push subscriptions: where users' browsers are reached. Functions of a connection."""

import hashlib
from base64 import urlsafe_b64encode

from sqlalchemy import Connection, bindparam, delete, select

from allibe_services.contracts.ids import UserId
from allibe_services.contracts.messages import milliseconds, now
from allibe_services.contracts.push import Subscription
from allibe_services.store.base import MOST_SUBSCRIPTIONS
from allibe_services.store.dialects import OneOf, Upsert
from allibe_services.store.tables import push_subscriptions

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
    ),
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
    """Keep a subscription as this user's; of too many the oldest are forgotten."""
    row = {
        "subscription_id": id_of(subscription.endpoint),
        "user_id": user,
        "endpoint": subscription.endpoint,
        "p256dh": subscription.p256dh,
        "auth": subscription.auth,
        "created_at": milliseconds(now()),
    }
    _PUT(connection, [row])
    kept = connection.execute(_IDS, {"user": user}).scalars().all()
    if len(kept) > MOST_SUBSCRIPTIONS:
        connection.execute(_REMOVE, {"user": user, "ids": list(kept[MOST_SUBSCRIPTIONS:])})


def unsubscribe(connection: Connection, user: UserId, endpoint: str) -> None:
    """Forget a subscription of this user's; an unknown one, or another user's, is ignored."""
    connection.execute(_REMOVE, {"user": user, "ids": [id_of(endpoint)]})


def of_user(connection: Connection, user: UserId) -> list[Subscription]:
    """Return the user's subscriptions, the newest first."""
    return [Subscription(*row) for row in connection.execute(_ALL, {"user": user})]
