"""A room of alice's, and what a database says of it."""

from sqlalchemy import Connection

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.store.sql import SqlStore

ALICE = UserId("alice")
ONE = RoomId("1")


def pragma(connection: Connection, text: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {text}").scalar()


async def last_offset(store: SqlStore) -> int:
    return (await store.log.heads([ONE]))[ONE].last_offset
