"""`store.log`: what happens when the database itself refuses a message."""

from sqlalchemy import text

from allibe_services.contracts.commands import Rejected, Stored
from allibe_services.store.sql import SqlStore
from tests.support.commands import post

from .looks import ALICE, ONE


async def test_a_message_that_the_database_refuses_is_set_aside_alone(store: SqlStore) -> None:
    await store.rooms.create("Room 1", ALICE, room_id=ONE)
    refuse = text(
        "CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.content = 'poison'"
        " BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    await store._database.write(lambda connection: connection.execute(refuse) and None)
    old = post("old", client="c-0")
    await store.log.append([old])

    outcomes = await store.log.append(
        [
            post("a", client="c-1"),
            post("poison", client="c-2"),
            post("poison"),
            old,
            post("b", client="c-2"),
            post("poison", client="c-3"),
        ]
    )

    assert [type(outcome) for outcome in outcomes] == [
        Stored,
        Rejected,
        Rejected,
        Stored,
        Stored,
        Rejected,
    ]
    found = await store.log.after(ONE, 0, most=10)
    assert [(m.offset, m.content) for m in found] == [(1, "old"), (2, "a"), (3, "b")]
    assert [o.message for o in outcomes if isinstance(o, Stored)] == [found[1], found[0], found[2]]
    room = await store.rooms.get(ONE, ALICE)
    assert (room.last_offset, room.last_message) == (3, "b")
