"""Give every room's log a new epoch, after a restore. Synchronous: run it before serving.

A restored log ends where the backup was made, and gives the offsets after it anew, to other
messages. Whoever has seen the former ones would be told that nothing is missing (I5).
"""

from sqlalchemy import Connection, update

from allibe_services.store.migrate import check_exists, kind_of, revision_of
from allibe_services.store.revisions import check_revision
from allibe_services.store.rooms import new_epoch
from allibe_services.store.tables import rooms


def begin_epoch(url: str) -> int:
    """Give all rooms one new epoch, or none of them; return how many there are.

    Raises `ValueError` for a URL that is not supported, a database that is not there, and one
    whose tables are not current; `StoreUnavailable`.
    """
    check_exists(url)
    return kind_of(url).exclusively(url, _begin)


def _begin(connection: Connection) -> int:
    check_revision(revision_of(connection))
    return connection.execute(update(rooms).values(epoch=new_epoch())).rowcount
