"""What the revision that a database says it is at means to this code."""

from allibe_services.store.database import NOT_CURRENT
from allibe_services.store.tables import REVISION


def check_revision(revision: str | None) -> None:
    """Raise `ValueError`, which says why, unless tables of this revision are this code's."""
    if revision == REVISION:
        return
    # They are numbered with four digits.
    if revision is None or revision < REVISION:
        raise ValueError(NOT_CURRENT)
    raise ValueError(newer(revision))


def newer(revision: str | None) -> str:
    """Return in words that the tables are of a later code, or of another program's."""
    return f"the database is newer than this code: its revision is {revision!r}"
