"""A private nginx: the other load balancer that deploy/ has a configuration for."""

import re
import signal
from pathlib import Path

from deploy.cluster.servers.load_balancer import LoadBalancer
from deploy.cluster.servers.programs import find_program


class Nginx(LoadBalancer):
    """One nginx. It knows no variables from outside, so we put them in, as `envsubst` would.

    What the configuration says of files without a slash at the start is in our folder. How long
    connections outlive a reload is `worker_shutdown_timeout`. `error_log` has to take notices.
    """

    name = "nginx"
    file_name = "nginx.conf"
    reload_signal = signal.SIGHUP

    def _text(self) -> str:
        return re.sub(r"\$\{([A-Z_0-9]+)\}", lambda name: self._values[name[1]], self.configuration)

    def _check(self, path: Path) -> list[str]:
        return [*self._program(), "-t", "-c", str(path)]

    def _command(self) -> list[str]:
        return [*self._program(), "-g", "daemon off;", "-c", str(self.folder / self.file_name)]

    def _told(self, log: str) -> bool:
        """There are as many old workers as new ones, unless it changes `worker_processes`."""
        started, left = log.count("start worker process "), log.count("gracefully shutting down")
        return 0 < started <= left

    def _program(self) -> list[str]:
        # Without -e the system's log is opened before the configuration is read.
        return [find_program("nginx"), "-p", str(self.folder), "-e", "stderr"]
