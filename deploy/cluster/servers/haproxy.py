"""A private HAProxy: the load balancer of the local cluster."""

import signal
from pathlib import Path

from deploy.cluster.servers.load_balancer import LoadBalancer
from deploy.cluster.servers.programs import find_program


class HAProxy(LoadBalancer):
    """One HAProxy, in master-worker mode. Variables are its own, and its environment has them:
    `bind "127.0.0.1:${PORT}"`. How long connections outlive a reload is `hard-stop-after`.
    """

    name = "HAProxy"
    file_name = "haproxy.cfg"
    reload_signal = signal.SIGUSR2

    def _check(self, path: Path) -> list[str]:
        return [find_program("haproxy"), "-c", "-f", str(path)]

    def _command(self) -> list[str]:
        return [find_program("haproxy"), "-W", "-db", "-f", str(self.folder / self.file_name)]

    def _told(self, log: str) -> bool:
        return "Loading success" in log

    def _environment(self) -> dict[str, str]:
        return super()._environment() | self._values
