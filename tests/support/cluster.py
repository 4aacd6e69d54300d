"""A whole local cluster for tests, and that its logs hold nothing that they should not.

    @pytest.fixture(scope="module")
    def cluster(tmp_path_factory, postgres_template) -> Iterator[Cluster]:
        with running_cluster(tmp_path_factory.mktemp("cluster"), postgres_template) as cluster:
            yield cluster

Nothing is started again by itself here: tests kill, and start, as they like.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.cluster.parts import Cluster
from deploy.cluster.servers import ProgramMissing
from tests.support.places import SignedPlace
from tests.support.server import check_text


@contextmanager
def running_cluster(
    folder: Path, template: Path, *, nodes: int = 1, **settings: str
) -> Iterator[Cluster]:
    """Give a cluster that is ready; at the end it is gone and its logs were looked at."""
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
