"""A copy of a SQLite database, while others write to it. PostgreSQL has pg_dump."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from allibe_services.store.sqlite import path_of


def back_up(url: str, target: Path) -> None:
    """Copy the database to a file that is not there yet, mode 0600, or make none.

    What is committed meanwhile is in the copy or not, a transaction at a time. The copy is whole
    and on the disk before it has its name. Raises `ValueError` as `path_of`, and `OSError`: no
    database, or none of Allibe's; the target is there, or cannot be written.
    """
    source = path_of(url)
    if not source.is_file():
        raise OSError(f"there is no database {source}")
    if target.exists():
        raise OSError(f"{target} is there already; name another file")
    number, name = tempfile.mkstemp(".partial", f"{target.name}-", target.parent)
    copy = Path(name)
    try:
        _copy(source, copy)
        os.fsync(number)
        copy.rename(target)
    except sqlite3.Error as error:
        raise OSError(f"no backup of {source}: {error}") from None
    finally:
        os.close(number)
        copy.unlink(missing_ok=True)


def _copy(source: Path, copy: Path) -> None:
    # By a URI, as only so it is never made: a name may have `?` and `#` in it, which that quotes.
    with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as database:
        database.execute("SELECT 1 FROM rooms LIMIT 1")  # a database, and one of Allibe's
        database.execute("VACUUM INTO ?", (str(copy.absolute()),))
    with closing(sqlite3.connect(copy)) as database:
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
