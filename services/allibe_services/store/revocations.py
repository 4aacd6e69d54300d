"""The SQL of revocations. Functions of a connection.

Their numbers say what a reader has seen. So they must become visible in order: whoever writes one
takes the row of the last number first, and the next one waits there for the commit. A number that
somebody has read is thus never followed by a smaller one that was on its way.
"""

from datetime import datetime

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from allibe_services.contracts.errors import Overloaded
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.revocations import Kind, Revocation
from allibe_services.store import subscriptions
from allibe_services.store.base import MOST_REVOCATIONS
from allibe_services.store.tables import last_revocation, revocations

_NEXT = (
    update(last_revocation)
    .values(number=last_revocation.c.number + 1)
    .returning(last_revocation.c.number)
)
_LAST = select(last_revocation.c.number)
_OVER = delete(revocations).where(revocations.c.expires_at <= bindparam("now"))
_SAME = and_(
    revocations.c.kind == bindparam("of_kind"), revocations.c.subject == bindparam("of_subject")
)
_UNTIL = select(revocations.c.expires_at).where(_SAME)
_REPLACED = delete(revocations).where(_SAME)
_COUNT = select(func.count()).select_from(revocations)
_INSERT = insert(revocations)
_AFTER = (
    select(revocations)
    .where(revocations.c.number > bindparam("last"), revocations.c.expires_at > bindparam("now"))
    .order_by(revocations.c.number)
    .limit(bindparam("most"))
)


def add(connection: Connection, kind: Kind, subject: str, expires_at: datetime) -> Revocation:
    """Revoke; a revocation of the same is replaced, and never forgotten earlier by that.

    A user's browsers are pushed to no more: they were subscribed with tokens that are revoked.
    """
    number = connection.execute(_NEXT).scalar_one()
    present = milliseconds(now())
    connection.execute(_OVER, {"now": present})
    same = {"of_kind": kind, "of_subject": subject}
    before = connection.execute(_UNTIL, same).scalar_one_or_none()
    if before is not None:
        connection.execute(_REPLACED, same)
    elif connection.execute(_COUNT).scalar_one() >= MOST_REVOCATIONS:
        raise Overloaded("Too many revocations live.")
    row = {
        "kind": kind,
        "subject": subject,
        "number": number,
        "revoked_at": present + 1,  # cut to the millisecond: what was issued in this one, too
        "expires_at": max(milliseconds(expires_at), before or 0),
    }
    connection.execute(_INSERT, row)
    if kind == "user":
        subscriptions.unsubscribe_all(connection, UserId(subject))
    return _revocation(**row)


def after(connection: Connection, number: int, most: int) -> tuple[int, list[Revocation]]:
    """Return the last number, and the revocations after one that live, in order."""
    last = connection.execute(_LAST).scalar_one()
    wanted = {"last": number, "now": milliseconds(now()), "most": most}
    rows = connection.execute(_AFTER, wanted).mappings()
    return last, [_revocation(**row) for row in rows]


def _revocation(
    *, kind: Kind, subject: str, number: int, revoked_at: int, expires_at: int
) -> Revocation:
    return Revocation(kind, subject, moment(revoked_at), moment(expires_at), number)
