"""Several private RabbitMQ nodes that are one cluster: quorum queues get a replica on each."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from deploy.cluster.servers.epmd import Epmd
from deploy.cluster.servers.rabbitmq import RabbitMQ
from deploy.cluster.servers.together import close_all, start_all

JOIN_SECONDS = 60.0


class RabbitMQCluster:
    """Nodes on one machine, with one port mapper, one cookie and one password between them.

    Any node may be stopped, killed, frozen and started again by itself: `cluster.nodes[1].kill()`.
    """

    def __init__(
        self, folder: Path, *, nodes: int = 3, ports: Sequence[int | None] | None = None
    ) -> None:
        self.folder = folder.resolve()
        self._epmd = Epmd(self.folder / "epmd")
        names = [f"rabbit-{number}@localhost" for number in range(1, nodes + 1)]
        self.nodes = [
            RabbitMQ(
                self.folder / f"node-{number}",
                port=port,
                node=name,
                epmd=self._epmd,
                home=self.folder,
                configuration=_configuration(names),
            )
            for number, (name, port) in enumerate(
                zip(names, ports or [None] * nodes, strict=True), start=1
            )
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def urls(self, vhost: str = "/") -> list[str]:
        """Return the address of a virtual host on each node; any of them will do."""
        return [node.url(vhost) for node in self.nodes]

    def add_vhost(self, name: str) -> list[str]:
        """Make a virtual host, through a node that runs; return its address on each node."""
        self._running()[0].add_vhost(name)
        return self.urls(name)

    def members(self) -> int:
        """Return how many nodes the cluster sees running."""
        return int(self._running()[0].eval("length(rabbit_nodes:all_running())"))

    def start(self) -> None:
        """Start the nodes that do not run, side by side; return once all are in the cluster.

        After a stop of all they need one another: the last one to stop knows most.
        """
        if not self._epmd.is_running:
            self._epmd.start()
        start_all(node for node in self.nodes if not node.is_running)
        self.nodes[0].until(
            lambda: self.members() == len(self.nodes), "met its peers", seconds=JOIN_SECONDS
        )

    def stop(self) -> None:
        """Stop all, side by side."""
        with ThreadPoolExecutor(len(self.nodes)) as threads:
            list(threads.map(RabbitMQ.stop, self.nodes))
        self._epmd.stop()

    def close(self) -> None:
        """Kill all and give up folders and ports."""
        close_all([self._epmd, *self.nodes])

    def _running(self) -> list[RabbitMQ]:
        return [node for node in self.nodes if node.is_running]


def _configuration(names: Sequence[str]) -> str:
    peers = [
        f"cluster_formation.classic_config.nodes.{number} = {name}\n"
        for number, name in enumerate(names, start=1)
    ]
    return (
        "cluster_formation.peer_discovery_backend = classic_config\n"
        + "".join(peers)
        # One node takes the lock and begins while its peers wait for that: when it finds none to
        # join, trying again (ten times, half a second each, by default) changes nothing.
        + "cluster_formation.discovery_retry_limit = 1\n"
        + "cluster_formation.discovery_retry_interval = 100\n"
        # As in the deployment: a node that sees only itself stops serving.
        + "cluster_partition_handling = pause_minority\n"
    )
