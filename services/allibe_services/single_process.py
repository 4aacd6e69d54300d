"""One process per database: what keeps a second one out while the bus reaches no other process.

Two of them on one database would each have a bus of its own: messages would reach the other's
subscribers late, and removed members would go on receiving there (I6). Whether the database
itself allows several processes is not the question here.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_process(database: Path) -> Iterator[None]:
    """Be the only process that serves a database file, as long as the block lasts.

    A lock on `<database>.lock` (mode 0600), which the kernel lets go of however the process
    ends. The file stays: who removed it could remove one that another process has just locked.
    Raises `ValueError` while another process has it, `OSError` where no file can be locked.
    """
    file = database.resolve()  # one lock, by whatever name the database is called
    lock = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(lock, database)
        yield
    finally:
        os.close(lock)


def _lock(descriptor: int, database: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(
            f"{database} is in use by another allibe process; choose another DATA"
            " (--data, ALLIBE_DATABASE_URL)"
        ) from None
