"""A process that is in the middle of an append when it is told to go on, or ended, or stopped.

    python appender.py URL CLIENT_MESSAGE_ID

It says `middle` once the message is inserted in a transaction that is not committed, and goes on
when it is sent a line; then it says `stored` or `unavailable`.
"""

import asyncio
import sys
from datetime import UTC, datetime

from sqlalchemy import Connection

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.ids import RoomId, UserId, new_message_id
from allibe_services.store import log
from allibe_services.store.postgresql import PostgresqlDatabase


def _append(connection: Connection, command: PostMessage) -> None:
    log.append(connection, [command])
    print("middle", flush=True)
    sys.stdin.readline()


async def _main(url: str, client_message_id: str) -> None:
    command = PostMessage(
        message_id=new_message_id(),
        room_id=RoomId("1"),
        sender=UserId("alice"),
        content="from another process",
        sent_at=datetime.now(UTC),
        client_message_id=client_message_id,
    )
    database = PostgresqlDatabase(url, call_seconds=60)
    try:
        await database.write(_append, command)
        print("stored", flush=True)
    except StoreUnavailable:
        print("unavailable", flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
