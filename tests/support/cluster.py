"""A whole local cluster for tests, and that its logs hold nothing that they should not.

    @pytest.fixture(scope="module")
    def cluster(tmp_path_factory, postgres_template) -> Iterator[Cluster]:
        with running_cluster(tmp_path_factory.mktemp("cluster"), postgres_template) as cluster:
            yield cluster

Nothing is started again by itself here: tests kill, and start, as they like.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.request import ProxyHandler, build_opener

import pytest

from allibe_services.rates.policy import NO_LIMITS
from deploy.cluster.parts import Cluster
from deploy.cluster.servers import ProgramMissing
from deploy.cluster.service import Service
from tests.support.clients import Clients
from tests.support.json_client import JsonClient
from tests.support.places import SignedPlace
from tests.support.server import WAIT_SECONDS, check_text
from tests.support.stomp_client import StompClient

_Client = TypeVar("_Client")

_open = build_opener(ProxyHandler({})).open


@contextmanager
def running_cluster(
    folder: Path, template: Path, *, nodes: int = 1, **settings: str
) -> Iterator[Cluster]:
    """Give a cluster that is ready; at the end it is gone and its logs were looked at.

    It has no limits but those that `settings` say: one user of a test does more than a person may.
    """
    settings = NO_LIMITS | settings
    cluster = Cluster(folder, nodes=nodes, durable=False, template=template, settings=settings)
    try:
        cluster.start()
    except ProgramMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    try:
        yield cluster
    finally:
        cluster.close()
    check_logs(cluster)


def place(cluster: Cluster, url: str | None = None) -> SignedPlace:
    """Return where clients connect: the load balancer, or another address of the cluster."""
    return SignedPlace(url or cluster.url, cluster.secret())


def check_logs(cluster: Cluster, tokens: Collection[str] = ()) -> None:
    """Fail when a service's log holds a traceback, a warning of Python's, or a token."""
    for service in cluster.services:
        check_text(service.log(), tokens)


def metric(service: Service, name: str) -> float:
    """Return a figure of a service's `/metrics`, summed over its labels."""
    with _open(f"{service.ops_url}/metrics", timeout=WAIT_SECONDS) as answer:
        text = answer.read().decode()
    values = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, values))


def connections(gateway: Service) -> int:
    """Return how many WebSockets a gateway has."""
    return int(metric(gateway, "allibe_gateway_connections"))


async def open_at(
    gateway: Service,
    opening: Callable[[], Awaitable[_Client]],
    *,
    others: list[_Client] | None = None,
) -> _Client:
    """Open clients through the load balancer until one has landed at this gateway; return that.

    The others stay open, and are put into the list: the next one goes where there are fewer. A
    gateway that has just started gets its first one within a second or two.
    """
    others = [] if others is None else others
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        before = connections(gateway)
        client = await opening()
        if connections(gateway) > before:
            return client
        others.append(client)
        await asyncio.sleep(0.05 * len(others))
    raise AssertionError(f"the load balancer leads nobody to {gateway.name}")


async def stomp_at(
    cluster: Cluster, number: int, server: SignedPlace, clients: Clients, user: str
) -> StompClient:
    """Return a STOMP client of a user's at one of the gateways."""
    return await open_at(cluster.gateways[number], lambda: clients.stomp(server, user))


async def json_at(
    cluster: Cluster, number: int, server: SignedPlace, clients: Clients, user: str, room: str
) -> JsonClient:
    """Return a client of the JSON door, in a room, at one of the gateways, and at no other."""
    others: list[JsonClient] = []
    gateway = cluster.gateways[number]
    client = await open_at(gateway, lambda: clients.json(server, user, room), others=others)
    for other in others:  # by them the user would still be here when the client has gone
        await other.close()
    return client
