"""`store.epochs` on every kind of database: a restored log begins another epoch."""

import pytest
from sqlalchemy import Connection, text

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.store.epochs import begin_epoch
from allibe_services.store.migrate import kind_of
from tests.support.commands import post
from tests.support.databases import STORES

ALICE = UserId("alice")
ROOMS = [RoomId("1"), RoomId("2")]


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, kind: str) -> str:
    return str(request.getfixturevalue(STORES[kind][0]))


async def test_every_room_gets_another_epoch_and_keeps_its_log(kind: str, url: str) -> None:
    """Offsets go on where the restored log ends, and mean other messages from there on."""
    store = STORES[kind][1](url)
    for room in ROOMS:
        await store.rooms.create("Room", ALICE, room_id=room)
    await store.log.append([post("before", room="1")])
    before = await store.log.heads(ROOMS)
    assert begin_epoch(url) == len(ROOMS)
    after = await store.log.heads(ROOMS)
    [kept] = await store.log.after(ROOMS[0], 0, most=10)
    await store.close()

    assert [after[room].last_offset for room in ROOMS] == [1, 0]
    assert all(after[room].epoch != before[room].epoch for room in ROOMS)
    assert (kept.content, kept.epoch) == ("before", after[ROOMS[0]].epoch)


def test_tables_that_are_not_current_are_left_alone(url: str) -> None:
    """A backup of an older version is migrated first: `allibe new-epoch` says so."""

    def is_at(connection: Connection, revision: str) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": revision})

    exclusively = kind_of(url).exclusively
    found = exclusively(
        url, lambda one: one.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    )
    exclusively(url, lambda connection: is_at(connection, "0001"))
    try:
        with pytest.raises(ValueError, match="allibe migrate"):
            begin_epoch(url)
    finally:
        exclusively(url, lambda connection: is_at(connection, found))


def test_a_database_that_is_not_there_is_not_made() -> None:
    with pytest.raises(ValueError, match="no database"):
        begin_epoch("sqlite:////nowhere/allibe.db")
    with pytest.raises(StoreUnavailable):
        begin_epoch("postgresql://nobody@127.0.0.1:1/nothing")
