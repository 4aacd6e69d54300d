"""A page of history is no more work where there is more of it: counted by the database, not timed.

`bench/history.py` times the same in a room of a million messages.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, event

from allibe_services.contracts.ids import RoomId
from allibe_services.store import log
from allibe_services.store.dialects import POSTGRESQL
from allibe_services.store.sql import SqlStore
from bench.history import LARGE, SMALL, fill
from tests.support.plans import explain

SIZES = {SMALL: 1_000, LARGE: 20_000}
MOST = 50

MORE_BLOCKS = 3
"""Of PostgreSQL: another level of the index, and pages that begin in the middle of a block."""

Page = Callable[[Connection, RoomId], object]

PAGES: dict[str, Page] = {
    "newest": lambda connection, room: log.before(connection, room, None, MOST),
    "before": lambda connection, room: log.before(connection, room, SIZES[room] // 2, MOST),
    "after": lambda connection, room: log.after(connection, room, SIZES[room] // 2, MOST),
}


class Work(NamedTuple):
    """What a page takes: SQLite's instructions or PostgreSQL's blocks, and by which plan."""

    units: int
    plan: str


async def test_a_page_is_read_along_the_key_and_takes_as_much_in_a_large_room(
    store: SqlStore,
) -> None:
    await fill(store._database, SIZES)
    for kind, page in PAGES.items():
        small, large = [await store._database.write(_work, page, room) for room in SIZES]
        assert 0 < large.units <= small.units + MORE_BLOCKS, (kind, small, large)
        for work in (small, large):
            assert "_pkey" in work.plan or "PRIMARY KEY (room_id=? AND offset" in work.plan
            for step in ("'Node Type': 'Sort'", "Seq Scan", "SCAN", "TEMP B-TREE"):
                assert step not in work.plan, (kind, work)


def _work(connection: Connection, page: Page, room: RoomId) -> Work:
    asked: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, text: str, given: Any, *_: object) -> None:
        asked.append((text, given))

    event.listen(connection, "before_cursor_execute", hear)
    instructions = _instructions(connection, page, room)
    event.remove(connection, "before_cursor_execute", hear)
    ((text, given),) = asked
    if connection.dialect.name == POSTGRESQL:
        return _blocks(connection, text, given)
    steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)
    return Work(instructions, "\n".join(step[3] for step in steps))


def _instructions(connection: Connection, page: Page, room: RoomId) -> int:
    """Read a page; return how many instructions of its virtual machine SQLite took for it."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == POSTGRESQL:
        page(connection, room)
        return 0
    taken = iter(range(1_000_000))
    driver.set_progress_handler(lambda: next(taken) < 0, 1)
    page(connection, room)
    driver.set_progress_handler(None, 1)
    return next(taken)


def _blocks(connection: Connection, text: str, given: tuple[object, ...]) -> Work:
    """Explain the plan for any parameters, which PostgreSQL keeps from the sixth time on."""
    options = "ANALYZE, BUFFERS, FORMAT JSON"
    ((explained,),) = explain(connection, text, given, "force_generic_plan", options)
    plan = explained["Plan"]
    return Work(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], str(plan))
