"""A backup of `allibe serve` is restored, as docs/operations.md says; its clients learn of it."""

from pathlib import Path

from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.runbook import is_private, walk
from tests.support.stomp_client import StompClient


async def test_who_saw_more_than_was_restored_is_told_so(
    start_server: StartServer, clients: Clients, tmp_path: Path
) -> None:
    """His offsets were given anew: under the old epoch he would be told that he has everything."""
    server = start_server()
    files = {
        "DATABASE": str(server.database),
        "BACKUP": str(tmp_path / "backup.db"),
        "ALLIBE_DATABASE_URL": f"sqlite:///{server.database}",
    }
    seen = await _posts(await clients.stomp(server, "alice"), "kept 1", "kept 2")
    walk("backup-sqlite", **files)
    assert is_private(files["BACKUP"])
    lost = await _posts(await clients.stomp(server, "alice"), "lost 3", "lost 4")
    server.stop()
    walk("restore-sqlite", **files)
    server.start()

    fresh = await _posts(await clients.stomp(server, "alice"), "new 3", "new 4", "new 5")
    assert fresh.rpartition(".")[2] == "5"
    for message_id in (seen, lost):  # offsets 2 and 4, of the former epoch
        client = await clients.stomp(server, "bob")
        receipt = await client.subscribe("/topic/rooms/1", x_since=message_id)
        assert receipt.headers["x-recovered"] == "false"
    assert await clients.api(server, "bob").contents("1") == [
        "kept 1",
        "kept 2",
        "new 3",
        "new 4",
        "new 5",
    ]


async def _posts(client: StompClient, *contents: str) -> str:
    """Post to room 1; return the `message-id` of the last one, as a subscriber gets it."""
    await client.subscribe("/topic/rooms/1")
    for content in contents:
        await client.post("1", content)
        message = await client.message()
    await client.close()
    return message.headers["message-id"]
