"""A message can be followed through all processes by its id, without what it says in any log."""

from collections.abc import Iterator
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from deploy.cluster.parts import Cluster
from deploy.cluster.service import Service
from tests.support.clients import Clients
from tests.support.places import SignedPlace
from tests.support.server import WAIT_SECONDS, eventually
from tests.support.stomp_client import SUBPROTOCOLS

_open = build_opener(ProxyHandler({})).open


def set_level(service: Service, level: str) -> str:
    request = Request(f"{service.ops_url}/log-level", level.encode(), method="PUT")
    with _open(request, timeout=WAIT_SECONDS) as answer:
        return str(answer.read().decode())


@pytest.fixture
def since(cluster: Cluster) -> Iterator[dict[str, int]]:
    """Every process at `debug`; how long its log was before."""
    sizes = {service.name: service.log_size() for service in cluster.services}
    for service in cluster.services:
        assert set_level(service, "debug") == "debug\n"
    yield sizes
    for service in cluster.services:
        set_level(service, "info")


def said(services: list[Service], since: dict[str, int]) -> str:
    return "".join(service.log(since[service.name]) for service in services)


async def test_at_debug_a_message_is_followed_by_its_id(
    cluster: Cluster,
    since: dict[str, int],
    server: SignedPlace,
    clients: Clients,
    room: str,
) -> None:
    """The `server` fixture looks for tokens in all logs."""
    alice = await clients.stomp(server, "alice")
    await alice.subscribe(f"/topic/rooms/{room}")
    await alice.post(room, "strictly-between-us")
    message = (await alice.body())["messageId"]
    gateways, workers = cluster.gateways, cluster.workers
    eventually(lambda: message in said(gateways, since), "a gateway says what was posted")
    eventually(lambda: message in said(workers, since), "a worker says what was stored")
    (posted,) = [line for line in said(gateways, since).splitlines() if message in line]
    for word in ("message_posted", "connection", "user", "alice", "room", room):
        assert word in posted
    (stored,) = [line for line in said(workers, since).splitlines() if message in line]
    for word in ("message_stored", "user", "alice", "room", room):
        assert word in stored
    assert "strictly-between-us" not in said(cluster.services, since)


async def test_a_connection_is_found_by_the_trace_of_its_handshake(
    cluster: Cluster, since: dict[str, int], server: SignedPlace, clients: Clients
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    async with clients.session.ws_connect(
        f"{server.url}/allibe-ws", headers=headers, protocols=SUBPROTOCOLS
    ):
        eventually(lambda: trace in said(cluster.gateways, since), "a gateway says the trace")
    lines = said(cluster.gateways, since).splitlines()
    assert ["connection_opened" in line for line in lines if trace in line] == [True]


async def test_at_info_again_nothing_is_said_of_messages(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    since = {service.name: service.log_size() for service in cluster.services}
    alice = await clients.stomp(server, "alice")
    await alice.post(room, "hello")
    await clients.api(server, "alice").rooms()
    assert "message_posted" not in said(cluster.gateways, since)


def test_who_is_not_an_operator_cannot_change_it(cluster: Cluster, server: SignedPlace) -> None:
    """The port for clients knows nothing of it, at the load balancer or behind."""
    for url in (server.url, *(service.url for service in cluster.gateways), cluster.rooms_api.url):
        request = Request(f"{url}/log-level", b"debug", method="PUT")
        with pytest.raises(OSError, match=r"40[45]"):
            _open(request, timeout=WAIT_SECONDS)
