"""Give every room's log a new epoch, after a restore. Synchronous: run it before serving.

A restored log ends where the backup was made, and gives the offsets after it anew, to other
messages. Whoever has seen the former ones would be told that nothing is missing (I5).
"""

from sqlalchemy import Connection, update

from allibe_services.store.database import NOT_CURRENT
from allibe_services.store.migrate import kind_of, revision_of
from allibe_services.store.rooms import new_epoch
from allibe_services.store.tables import REVISION, rooms


def begin_epoch(url: str) -> int:
    """Give all rooms one new epoch, or none of them; return how many there are.

    Raises `ValueError` for a URL that is not supported, a database that is not there, and one
    whose tables are not current; `StoreUnavailable`.
    """
    kind = kind_of(url)
    if not kind.exists(url):
        raise ValueError("there is no database")
    return kind.exclusively(url, _begin)


def _begin(connection: Connection) -> int:
    if revision_of(connection) != REVISION:
        raise ValueError(NOT_CURRENT)
    return connection.execute(update(rooms).values(epoch=new_epoch())).rowcount
