"""A whole cluster behind its load balancer, shared by the tests of this folder.

A test that stops, kills or freezes a part of it puts it right again: `whole` makes sure.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cluster.parts import Cluster
from tests.support.clients import Clients
from tests.support.cluster import check_logs, place, running_cluster
from tests.support.places import SignedPlace
from tests.support.private_servers import postgres_template

__all__ = ["postgres_template"]


@pytest.fixture(scope="package")
def shared_cluster(
    built_page: None, tmp_path_factory: pytest.TempPathFactory, postgres_template: Path
) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), postgres_template) as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, with all that a test before has stopped or frozen running again."""
    make_whole(shared_cluster)
    yield shared_cluster
    make_whole(shared_cluster)


@pytest.fixture
def server(cluster: Cluster) -> Iterator[SignedPlace]:
    """Where clients connect: the load balancer. No log may hold a token that it makes."""
    balancer = place(cluster)
    yield balancer
    check_logs(cluster, balancer.tokens)
    leaked = [one for one in balancer.tokens if one.rpartition(".")[2] in cluster.balancer.log()]
    assert not leaked, cluster.balancer.log()


@pytest.fixture
async def room(server: SignedPlace, clients: Clients) -> str:
    """A new room of alice's and bob's."""
    return await clients.api(server, "alice").new_room(None, "bob")


def make_whole(cluster: Cluster) -> None:
    """Start and thaw what does not run; return once clients are served as before."""
    for part in cluster.parts():
        if part.is_running:
            part.thaw()
        else:
            part.start()
    cluster.until_served()
