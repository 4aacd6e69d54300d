"""deploy/haproxy/haproxy.cfg: who gets connections, and what a reload does to them."""

import asyncio
import json
from operator import gt
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.cluster.parts import HAPROXY, Cluster
from deploy.cluster.servers import HAProxy
from deploy.cluster.servers.programs import find_program, run
from tests.support.clients import Clients
from tests.support.cluster import connections, open_at
from tests.support.places import SignedPlace
from tests.support.server import eventually
from tests.support.stomp_client import StompClient, raw

ROUND = 20
"""Connections that are opened one after another, half of them at each door."""


async def test_gateways_share_the_connections(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """The next one goes where there are fewest; both doors count. A gateway that is taken for down
    meanwhile, as it may be on a busy machine, gets what it missed; so does one whose connections
    the load balancer still counts (`server-fin`, 5 s).
    """
    first, second = cluster.gateways
    await open_at(second, lambda: clients.stomp(server, "alice"))
    for _ in range(ROUND // 2):
        leaving = await open_at(first, lambda: clients.stomp(server, "alice"))
        await leaving.web_socket.close()
    opened: list[object] = []
    fewer, more = 0, ROUND
    while more - fewer > 2 and len(opened) < 6 * ROUND:
        await asyncio.sleep(1.5 if opened else 0)
        for _ in range(ROUND // 2):
            opened.append(await clients.stomp(server, "alice"))
            opened.append(await clients.json(server, "bob", "1"))
        fewer, more = sorted(map(connections, cluster.gateways))
    assert fewer + more >= len(opened)
    assert more - fewer <= 2, (fewer, more)


async def test_a_sockjs_session_stays_on_its_gateway(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """By its path: every request here comes over a connection of its own. They share, too. A few
    may be lost while a gateway that a test before has stopped comes back.
    """
    before = [connections(gateway) for gateway in cluster.gateways]
    number = lost = 0
    while number < 40 and not all(map(gt, map(connections, cluster.gateways), before)):
        number += 1
        url = f"{server.url}/allibe-ws/000/session-{number}-{uuid4().hex}"
        async with clients.session.post(f"{url}/xhr") as answer:
            assert await answer.text() == "o\n"
        connect = raw("CONNECT", "accept-version:1.2", f"Authorization:{server.token('alice')}")
        subscribe = raw("SUBSCRIBE", "id:1", "destination:/topic/rooms/1", "receipt:1")
        post = raw(
            "SEND", "destination:/app/message", body=json.dumps({"roomId": "1", "content": url})
        )
        async with clients.session.post(
            f"{url}/xhr_send", json=[connect, subscribe, post]
        ) as answer:
            assert answer.status in (204, 404)
            if answer.status == 404:
                lost += 1
                assert lost < 4
                continue
        got = ""
        while url not in got:
            async with clients.session.post(f"{url}/xhr") as answer:
                got += await answer.text()
        assert "CONNECTED" in got
    assert number < 40, "all sessions are on one gateway"


async def test_a_gateway_that_stops_gets_no_new_connections_and_refuses_none(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """While it drains all go to the other one; once it is back they share again."""
    leaving, staying = cluster.gateways
    stopping = asyncio.create_task(asyncio.to_thread(leaving.stop))
    opened = []
    while not stopping.done():
        opened.append(await clients.stomp(server, "alice"))
        await asyncio.sleep(0.02)
    await stopping
    before = connections(staying)
    opened += [await clients.stomp(server, "alice") for _ in range(4)]
    assert connections(staying) == before + 4
    await asyncio.to_thread(leaving.start)
    await open_at(leaving, lambda: clients.stomp(server, "alice"))


async def test_a_killed_gateway_costs_who_connects_next_nothing(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """The load balancer tries the other one at once, before any check has told it."""
    await asyncio.to_thread(cluster.gateways[0].kill)
    for _ in range(4):
        async with asyncio.timeout(2):
            await clients.stomp(server, "alice")


async def test_a_reload_keeps_the_connections(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """The old process goes on serving them, with the new one taking what comes."""
    old = await clients.stomp(server, "alice")
    await old.subscribe("/topic/rooms/1")
    await asyncio.to_thread(cluster.balancer.reload)
    new = await clients.stomp(server, "bob")
    await new.post("1", "after the reload")
    assert (await old.body())["content"] == "after the reload"
    await old.post("1", "from the old one")
    assert old.web_socket.close_code is None


async def test_a_stop_of_all_gateways_is_an_error_that_ends(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """503 at once, and service as soon as there is a gateway."""
    for gateway in cluster.gateways:
        await asyncio.to_thread(gateway.stop)
    async with asyncio.timeout(10), clients.session.get(f"{server.url}/allibe-ws") as answer:
        assert answer.status == 503
    await asyncio.to_thread(cluster.gateways[1].start)
    client: StompClient = await open_at(cluster.gateways[1], lambda: clients.stomp(server, "alice"))
    await client.subscribe("/topic/rooms/1")


async def test_without_the_store_the_page_is_there_and_the_error_is_ours(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """rooms-api is unready then, and answers better than the load balancer could."""
    since = cluster.balancer.log_size()
    await asyncio.to_thread(cluster.postgres.stop)
    await asyncio.to_thread(
        eventually,
        lambda: "backend 'rooms_api' has no server available" in cluster.balancer.log(since),
        "the load balancer sees that rooms-api is unready",
    )
    async with clients.session.get(f"{server.url}/") as page:
        assert page.status == 200
    status, problem = await clients.api(server, "alice").ask("GET", "/rooms")
    assert (status, problem["code"]) == (503, "store_unavailable")


async def test_it_says_itself_who_the_client_is(tmp_path: Path) -> None:
    """`X-Forwarded-For` is one address: what a client claims is dropped."""
    heads: asyncio.Queue[bytes] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        if b"x-claimed" in head.lower():
            heads.put_nowait(head)

    backend = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = backend.sockets[0].getsockname()[1]
    values = {"BIND": "127.0.0.1"}
    for name in ("GATEWAY_1", "GATEWAY_2", "ROOMS_API"):
        values |= {name: f"127.0.0.1:{port}", f"{name}_OPS": str(port)}
    haproxy = HAProxy(tmp_path / "haproxy", (HAPROXY / "haproxy.cfg").read_text(), values=values)
    try:
        await asyncio.to_thread(haproxy.start)
        headers = {"X-Forwarded-For": "192.0.2.1", "X-Claimed": "1"}
        async with Clients() as clients, clients.session.get(haproxy.url, headers=headers):
            head = await asyncio.wait_for(heads.get(), 10)
    finally:
        await asyncio.to_thread(haproxy.close)
        backend.close()
    told = [line for line in head.lower().split(b"\r\n") if line.startswith(b"x-forwarded-for")]
    assert told == [b"x-forwarded-for: 127.0.0.1"]


@pytest.mark.parametrize("more", [[], ["amqp.cfg"]], ids=["alone", "with amqp.cfg"])
def test_haproxy_has_nothing_to_complain_of(tmp_path: Path, more: list[str]) -> None:
    """Not a warning either."""
    names = ["GATEWAY_1", "GATEWAY_2", "ROOMS_API", "RABBITMQ_1", "RABBITMQ_2", "RABBITMQ_3"]
    values = {"BIND": "127.0.0.1", "PORT": "3", "AMQP_PORT": "4"}
    for name in names:
        values |= {name: "127.0.0.1:1", f"{name}_OPS": "2"}
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(
        "".join((HAPROXY / name).read_text() for name in ["haproxy.cfg", *more])
    )
    command = [find_program("haproxy"), "-c", "-V", "-f", str(configuration)]
    done = run(command, environment=values)
    said = done.stdout + done.stderr
    assert (done.returncode, said) == (0, "Configuration file is valid\n")
