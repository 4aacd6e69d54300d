"""Parts of the cluster end: in order, or not. Clients come back, and nothing is lost."""

import asyncio
import json
from collections.abc import Callable

import pytest

from allibe_services.contracts import disconnects
from deploy.cluster.parts import Cluster
from deploy.cluster.servers import PrivateServer
from tests.support.clients import Clients
from tests.support.cluster import connections, open_at
from tests.support.inbox import Closed
from tests.support.json_client import Api
from tests.support.places import SignedPlace
from tests.support.stomp_client import StompClient

MESSAGES = 40


async def test_a_gateway_that_is_told_to_stop_drains(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    """What it has accepted gets its receipt, then 1012; the other gateway takes its clients."""
    leaving, staying = cluster.gateways
    alice = await open_at(leaving, lambda: clients.stomp(server, "alice"))
    witness = await open_at(staying, lambda: clients.stomp(server, "bob"))
    await witness.subscribe(f"/topic/rooms/{room}")
    sending = asyncio.create_task(_stream(alice, room))
    await alice.receipt("20")
    assert await asyncio.to_thread(_exit_code, leaving) == 0
    assert await alice.closed() == disconnects.RESTART.code
    await sending
    receipted = {"20"} | {
        frame.headers["receipt-id"] for frame in alice.waiting if frame.command == "RECEIPT"
    }
    again = await clients.stomp(server, "alice")
    assert connections(staying) >= 2
    await again.post(room, "the last one")
    shown = []
    while (body := await witness.body())["content"] != "the last one":
        shown.append(body["clientMessageId"])
    # What was accepted and not receipted may be stored: a client sends it again by its id.
    assert receipted <= set(shown)
    assert shown == [str(number) for number in range(len(shown))]


def _exit_code(part: PrivateServer) -> int | None:
    part.stop()
    assert part._process is not None
    return part._process.returncode


async def _stream(client: StompClient, room: str) -> None:
    """Send as fast as the socket takes it, until it is closed."""
    try:
        for number in range(100_000):
            name = str(number)
            body = json.dumps({"roomId": room, "content": name, "clientMessageId": name})
            await client.send_frame("SEND", {"destination": "/app/message", "receipt": name}, body)
            await asyncio.sleep(0)
    except (ConnectionError, Closed):
        return


PARTS: dict[str, Callable[[Cluster], PrivateServer]] = {
    "worker": lambda cluster: cluster.workers[0],
    "rooms-api": lambda cluster: cluster.rooms_api,
    "PostgreSQL": lambda cluster: cluster.postgres,
    "Redis": lambda cluster: cluster.redis,
    "HAProxy": lambda cluster: cluster.balancer,
}


@pytest.mark.parametrize("name", PARTS)
async def test_a_part_that_is_killed_costs_no_message_and_doubles_none(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str, name: str
) -> None:
    """Bob posts over STOMP, each again by its id until it is receipted; history has each once."""
    part = PARTS[name](cluster)
    posting = asyncio.create_task(_post_all(server, room))
    await _until_stored(clients.api(server, "alice"), room, MESSAGES // 4)
    await asyncio.to_thread(part.kill)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(part.start)
    await posting
    expected = [f"m{number}" for number in range(MESSAGES)]
    await asyncio.to_thread(cluster.until_served)
    alice = clients.api(server, "alice")
    await _until_stored(alice, room, MESSAGES)
    assert await alice.contents(room) == expected


async def _post_all(server: SignedPlace, room: str) -> None:
    """Post one after the other, over connections that may break."""
    left = [f"m{number}" for number in range(MESSAGES)]
    async with Clients() as clients:
        while left:
            try:
                client = await clients.stomp(server, "bob")
                while left:
                    await client.post(room, left[0], clientMessageId=left[0])
                    del left[0]
                    await asyncio.sleep(0.02)
            except Exception:  # whatever it was: again
                await asyncio.sleep(0.1)


async def _until_stored(api: Api, room: str, count: int) -> None:
    async with asyncio.timeout(30):
        while len(await api.contents(room)) < count:  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.02)
