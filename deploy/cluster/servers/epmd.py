"""Erlang's port mapper: by it RabbitMQ's nodes, and their commands, find a node's port.

Left alone, each node would start one for the whole machine, on all addresses, for ever.
"""

from deploy.cluster.servers.base import PrivateServer
from deploy.cluster.servers.programs import find_program


class Epmd(PrivateServer):
    """A port mapper of our own, for one node or the nodes of one cluster."""

    name = "epmd"

    def environment(self) -> dict[str, str]:
        """Return what makes Erlang's programs use this one."""
        return {"ERL_EPMD_PORT": str(self.port), "ERL_EPMD_ADDRESS": "127.0.0.1"}

    def ensure(self) -> None:
        """Start it if it does not run."""
        if not self.is_running:
            self.start()

    def _command(self) -> list[str]:
        # Without -daemon it stays our child.
        return [find_program("epmd"), "-port", str(self.port), "-address", "127.0.0.1"]
