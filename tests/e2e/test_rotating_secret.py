"""The secret of tokens is changed, as docs/operations.md says, and nobody has to sign in anew."""

from pathlib import Path

from allibe_services.contracts import disconnects
from tests.support.clients import Clients
from tests.support.server import SECRET, Server, running
from tests.support.stomp_client import raw

NEW_SECRET = "another secret, which is also as long as the longest hash: sixty-four bytes"
CHANGING = {"ALLIBE_JWT_SECRET": NEW_SECRET, "ALLIBE_JWT_FORMER_SECRET": SECRET}
CHANGED = {"ALLIBE_JWT_SECRET": NEW_SECRET}


async def test_tokens_of_the_former_secret_are_good_until_it_is_taken_away(
    clients: Clients, tmp_path: Path
) -> None:
    """Who comes back after the restart resumes with the token that he has."""
    with running(tmp_path, demo=False) as server:
        room = await clients.api(server, "alice").new_room(None, "bob")
        alice = await clients.stomp(server, "alice")
        await alice.subscribe(f"/topic/rooms/{room}")
        await alice.post(room, "before")
        last = (await alice.message()).headers["message-id"]
        await alice.close()
        old, new = server.sign("bob"), server.sign("bob", key=NEW_SECRET)
        assert await _refused(server, clients, new)

    with running(tmp_path, demo=False, environment=CHANGING) as server:
        for token in (old, new):
            client = await clients.web_socket(server)
            await client.connect(token)
            receipt = await client.subscribe(f"/topic/rooms/{room}", x_since=last)
            assert receipt.headers["x-recovered"] == "true"
            await client.close()

    with running(tmp_path, demo=False, environment=CHANGED) as server:
        client = await clients.web_socket(server)
        await client.connect(new)
        await client.close()
        assert await _refused(server, clients, old)


async def _refused(server: Server, clients: Clients, token: str) -> bool:
    client = await clients.web_socket(server)
    await client.send_text(raw("CONNECT", "accept-version:1.2", f"Authorization:{token}"))
    assert (await client.error()).headers["x-code"] == "token_invalid"
    return await client.closed() == disconnects.TOKEN_INVALID.code
