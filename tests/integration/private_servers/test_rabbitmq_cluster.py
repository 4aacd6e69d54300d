"""Three private RabbitMQ nodes are one cluster, and outlive the loss of one."""

from pathlib import Path

import pytest

from deploy.cluster.servers import RabbitMQCluster
from tests.integration.private_servers.looks import check_loopback, exchange, mentions
from tests.support.server import eventually

SAYS_HELLO = b"AMQP\x00\x00\x09\x01"


@pytest.mark.timeout(240)
def test_three_nodes_are_one_and_one_may_go_and_come_back(tmp_path: Path) -> None:
    """One test for all of it: three nodes take their time on two cores."""
    with RabbitMQCluster(tmp_path / "cluster") as cluster:
        first, *others = cluster.nodes
        assert cluster.members() == 3
        urls = cluster.add_vhost("mine")
        assert [f":{node.port}/mine" in url for node, url in zip(cluster.nodes, urls, strict=True)]
        for node in cluster.nodes:
            check_loopback(node.processes(), node.port, node.distribution_port)

        first.kill()
        assert mentions(first.folder) == []
        eventually(lambda: cluster.members() == 2, "the others have noticed")
        for node in others:
            assert '<<"mine">>' in node.eval("rabbit_vhost:list_names()")
            assert exchange(node.port, SAYS_HELLO)

        cluster.start()
        assert cluster.members() == 3
        cluster.stop()
        assert mentions(cluster.folder) == []
        cluster.start()
        assert '<<"mine">>' in first.eval("rabbit_vhost:list_names()")
    assert mentions(cluster.folder) == []
