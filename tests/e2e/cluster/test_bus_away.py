"""RabbitMQ is away, stopped or frozen: a retryable error in 5 s, and nothing lost or doubled."""

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from deploy.cluster.parts import Cluster
from deploy.cluster.servers import RabbitMQ
from tests.support.clients import Clients
from tests.support.inbox import Closed, Refusal
from tests.support.node import running_script
from tests.support.places import SignedPlace
from tests.support.server import eventually
from tests.support.terminal import Open

MARGIN_SECONDS = 5.0
"""Beyond the 5 s that clients are promised: two processors, and others who use them."""

PROMISED_SECONDS = 5.0

RETRYABLE = {"bus_unavailable", "not_confirmed"}

WAYS: dict[str, tuple[Callable[[RabbitMQ], None], Callable[[RabbitMQ], None]]] = {
    "stopped": (RabbitMQ.stop, RabbitMQ.start),
    "frozen": (RabbitMQ.freeze, RabbitMQ.thaw),
}


class Outage:
    """RabbitMQ is away from now on, until `end`."""

    def __init__(self, node: RabbitMQ, way: str) -> None:
        self._node = node
        self._begin, self._end = WAYS[way]

    async def begin(self) -> None:
        await asyncio.to_thread(self._begin, self._node)

    async def end(self) -> None:
        await asyncio.to_thread(self._end, self._node)


@pytest.fixture(params=WAYS)
def outage(request: pytest.FixtureRequest, cluster: Cluster) -> Outage:
    """Not yet begun. `cluster` puts right what a test leaves."""
    return Outage(cluster.nodes[0], request.param)


async def test_senders_are_told_in_time_that_they_may_try_again(
    server: SignedPlace, clients: Clients, room: str, outage: Outage
) -> None:
    """Over STOMP with soft errors and without, over JSON, and over HTTP; history stays readable."""
    soft = await clients.stomp(server, "alice", x_soft_errors="true")
    await soft.subscribe("/user/queue/errors", id="errors")
    hard = await clients.stomp(server, "alice")
    plain = await clients.json(server, "bob", room)
    api = clients.api(server, "bob")
    await outage.begin()
    began = time.monotonic()
    send = {"destination": "/app/message", "receipt": "r"}
    for client in (soft, hard):
        await client.send_frame("SEND", send, json.dumps({"roomId": room, "content": "hi"}))
    await plain.send(type="message", content="hi")
    posting = asyncio.create_task(
        api.ask("POST", f"/rooms/{room}/messages", {"content": "hi", "clientMessageId": "http"})
    )
    told = await soft.body("errors")
    error = await hard.error()
    refused = await plain.take(lambda item: item["type"] == "error")
    status, problem = await posting
    assert time.monotonic() - began < PROMISED_SECONDS + MARGIN_SECONDS
    assert {told["code"], error.headers["x-code"], refused["code"], problem["code"]} <= RETRYABLE
    assert told["retryable"]
    assert refused["retryable"]
    assert status in (503, 504)
    assert await hard.closed() == 4406
    assert await api.history(room) == []


@pytest.mark.parametrize("outage", ["stopped"], indirect=True)
@pytest.mark.timeout(120)
async def test_who_connects_meanwhile_is_told_by_a_gateway(
    cluster: Cluster, server: SignedPlace, clients: Clients, outage: Outage
) -> None:
    """All gateways are unready, and get the connections all the same.

    A browser could not read the load balancer's 503. A gateway lets in whose events it has
    already, and tells all others in time what is wrong and that it may be tried again.
    """
    since = cluster.balancer.log_size()
    await outage.begin()
    await asyncio.to_thread(
        eventually,
        lambda: "backend 'gateways' has no server available" in cluster.balancer.log(since),
        "the load balancer sees no gateway that is ready",
    )
    newcomer = await clients.web_socket(server)
    began = time.monotonic()
    with pytest.raises(Refusal, match="bus_unavailable"):
        await newcomer.connect(server.token("carol"))
    assert await newcomer.closed() == 4406
    assert time.monotonic() - began < PROMISED_SECONDS + MARGIN_SECONDS
    await outage.end()
    async with asyncio.timeout(60):
        while not await _gets_in(server, clients):  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.1)


async def _gets_in(server: SignedPlace, clients: Clients) -> bool:
    try:
        await clients.stomp(server, "carol")
    except (Refusal, Closed):
        return False
    return True


@pytest.mark.timeout(120)
async def test_clients_send_again_by_themselves_and_double_nothing(
    node_packages: None,
    server: SignedPlace,
    clients: Clients,
    chat: Open,
    room: str,
    outage: Outage,
) -> None:
    """Alice uses the SDK, bob the terminal; both write before, while and after it is away."""
    bob = chat(server, room, "bob")
    async with running_script("sdk.mjs", server, room=room) as alice:
        await alice.event("live")
        await asyncio.to_thread(bob.type, "bob 0")
        await alice.event("message", content="bob 0")
        await alice.write("alice 0")
        await asyncio.to_thread(bob.until, "alice 0")
        await outage.begin()
        await alice.write("alice 1")
        await alice.write("alice 2")
        await asyncio.to_thread(bob.type, "bob 1", "bob 2")
        began = time.monotonic()
        await asyncio.to_thread(bob.until, "Not stored yet")
        assert time.monotonic() - began < PROMISED_SECONDS + MARGIN_SECONDS
        await asyncio.sleep(3)  # a second try of each, which may be stored when it is back
        await outage.end()
        await alice.write("alice 3")
        await asyncio.to_thread(bob.type, "bob 3")
        for text in ("alice 3", "bob 3"):
            await asyncio.to_thread(bob.until, text)
        api = clients.api(server, "alice")
        async with asyncio.timeout(30):
            while alice.last("outbox")["outbox"] or len(alice.all("message")) < 8:
                await alice.event("outbox" if alice.last("outbox")["outbox"] else "message")
        await alice.end()
    assert await asyncio.to_thread(bob.end) == 0
    stored = await api.contents(room)
    for user in ("alice", "bob"):
        assert [one for one in stored if user in one] == [f"{user} {n}" for n in range(4)]
    assert [one["content"] for one in alice.all("message")] == stored
    assert bob.messages == stored
    outboxes = [one["outbox"] for one in alice.all("outbox")]
    assert not [entry for outbox in outboxes for entry in outbox if entry["state"] == "failed"]
    assert ["pending", "pending"] in [[entry["state"] for entry in one] for one in outboxes]
