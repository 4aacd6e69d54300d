"""`--nodes 3`: RabbitMQ as a cluster, of which one node may die."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cluster.parts import Cluster
from tests.support.clients import Clients
from tests.support.cluster import place, running_cluster


@pytest.fixture
def three_nodes(tmp_path: Path, postgres_template: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path / "cluster", postgres_template, nodes=3) as cluster:
        yield cluster


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_messages_go_on_when_one_node_of_three_dies(
    three_nodes: Cluster, clients: Clients
) -> None:
    """The load balancer leads to a node that runs; each message is there once and in order."""
    server = place(three_nodes)
    api = clients.api(server, "alice")
    room = await api.new_room(None, "bob")
    said = []
    for number, node in enumerate([None, three_nodes.nodes[0]]):
        if node is not None:
            node.kill()
        for again in range(100):
            name = f"m{number}"
            status, _ = await api.ask(
                "POST", f"/rooms/{room}/messages", {"content": name, "clientMessageId": name}
            )
            if status in (200, 201, 202):
                break
            assert status in (503, 504), again
        said.append(name)
    reader = await clients.json(server, "bob", room, since="")
    await reader.post("m2")
    # One that was accepted while the reader came is shown to him, too.
    while (await reader.of_type("message"))["content"] != "m2":
        pass
    assert await api.contents(room) == [*said, "m2"]
