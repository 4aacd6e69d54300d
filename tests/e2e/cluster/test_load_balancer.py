"""Both load balancers, each over the cluster: who gets connections, and what a reload does to them.

What becomes of each request: tests/integration/test_load_balancer_files.
"""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from operator import gt
from uuid import uuid4

import pytest
from aiohttp import WSServerHandshakeError

from deploy.cluster.parts import Cluster
from deploy.cluster.servers import Nginx
from deploy.cluster.servers.load_balancer import LoadBalancer
from tests.support.clients import Clients
from tests.support.cluster import connections, open_at, place
from tests.support.places import SignedPlace
from tests.support.server import WAIT_SECONDS, eventually
from tests.support.stomp_client import StompClient, raw

ROUND = 20
"""Connections that are opened one after another, half of them at each door."""


@pytest.fixture(scope="module")
def nginx(shared_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """One for all tests here, beside the cluster's own HAProxy."""
    with shared_cluster.new_nginx(tmp_path_factory.mktemp("nginx")) as nginx:
        yield nginx


@pytest.fixture(params=["HAProxy", "nginx"])
def balancer(request: pytest.FixtureRequest, cluster: Cluster, nginx: Nginx) -> LoadBalancer:
    return nginx if request.param == "nginx" else cluster.balancer


@pytest.fixture
def servers(cluster: Cluster, nginx: Nginx) -> Iterator[list[SignedPlace]]:
    """Both, for what takes long. No log may hold a token."""
    both = [place(cluster), place(cluster, nginx.url)]
    yield both
    log = cluster.balancer.log() + nginx.log()
    tokens = [token for one in both for token in one.tokens]
    assert not [token for token in tokens if token.rpartition(".")[2] in log], log


@pytest.fixture
def server(cluster: Cluster, balancer: LoadBalancer, servers: list[SignedPlace]) -> SignedPlace:
    """Each for itself."""
    return servers[balancer is not cluster.balancer]


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
    cluster: Cluster, servers: list[SignedPlace], clients: Clients
) -> None:
    """While it drains all go to the other one; once it is back they share again."""
    leaving, staying = cluster.gateways
    stopping = asyncio.create_task(asyncio.to_thread(leaving.stop))
    opened = []
    while not stopping.done():
        opened += [await clients.stomp(server, "alice") for server in servers]
        await asyncio.sleep(0.02)
    await stopping
    before = connections(staying)
    opened += [await clients.stomp(server, "alice") for server in 4 * servers]
    assert connections(staying) == before + 8
    await asyncio.to_thread(leaving.start)
    for server in servers:
        await open_at(leaving, partial(clients.stomp, server, "alice"))


async def test_a_killed_gateway_costs_who_connects_next_nothing(
    cluster: Cluster, servers: list[SignedPlace], clients: Clients
) -> None:
    """The load balancer tries the other one at once, before any check has told it."""
    await asyncio.to_thread(cluster.gateways[0].kill)
    for server in 4 * servers:
        async with asyncio.timeout(2):
            await clients.stomp(server, "alice")


async def test_a_reload_keeps_the_connections(
    balancer: LoadBalancer, server: SignedPlace, clients: Clients
) -> None:
    """The old process goes on serving them, with the new one taking what comes."""
    old = await clients.stomp(server, "alice")
    await old.subscribe("/topic/rooms/1")
    await asyncio.to_thread(balancer.reload)
    new = await clients.stomp(server, "bob")
    await new.post("1", "after the reload")
    assert (await old.body())["content"] == "after the reload"
    await old.post("1", "from the old one")
    assert old.web_socket.close_code is None


async def test_a_stop_of_all_gateways_is_an_error_that_ends(
    cluster: Cluster, servers: list[SignedPlace], clients: Clients
) -> None:
    """503 (of nginx 502) at once, and service as soon as there is a gateway."""
    for gateway in cluster.gateways:
        await asyncio.to_thread(gateway.stop)
    for server, status in zip(servers, (503, 502), strict=True):
        async with asyncio.timeout(10), clients.session.get(f"{server.url}/allibe-ws") as answer:
            assert answer.status == status
    await asyncio.to_thread(cluster.gateways[1].start)
    for server in servers:
        client = await _once_served(server, clients)
        await client.subscribe("/topic/rooms/1")


async def _once_served(server: SignedPlace, clients: Clients) -> StompClient:
    """nginx gives who was refused some more seconds."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            try:
                return await clients.stomp(server, "alice")
            except WSServerHandshakeError:
                await asyncio.sleep(0.1)


async def test_without_the_store_the_page_is_there_and_the_error_is_ours(
    cluster: Cluster, servers: list[SignedPlace], clients: Clients
) -> None:
    """rooms-api is unready then, and answers better than a load balancer could."""
    since = cluster.balancer.log_size()
    await asyncio.to_thread(cluster.postgres.stop)
    await asyncio.to_thread(
        eventually,
        lambda: "backend 'rooms_api' has no server available" in cluster.balancer.log(since),
        "HAProxy sees that rooms-api is unready",
    )
    for server in servers:
        async with clients.session.get(f"{server.url}/") as page:
            assert page.status == 200
        status, problem = await clients.api(server, "alice").ask("GET", "/rooms")
        assert (status, problem["code"]) == (503, "store_unavailable")


async def test_operators_paths_are_not_for_clients(
    servers: list[SignedPlace], clients: Clients
) -> None:
    for server in servers:
        for path in ("/metrics", "/readyz", "/livez", "/log-level"):
            async with clients.session.get(server.url + path) as answer:
                assert answer.status == 404
