"""A private HAProxy: the load balancer of the local cluster."""

import signal
from collections.abc import Mapping
from pathlib import Path

from deploy.cluster.servers.base import PrivateServer
from deploy.cluster.servers.programs import find_program, run

RELOAD_SECONDS = 20.0


class HAProxy(PrivateServer):
    """One HAProxy over a configuration of the caller's, in master-worker mode.

    What differs from place to place stands in the configuration as HAProxy's own variables, so
    that the very file of the deployment can be used: `bind "127.0.0.1:${PORT}"`, where PORT is
    our port, and `server one "${GATEWAY_1}"` for whatever else `values` holds.
    """

    name = "HAProxy"

    def __init__(
        self,
        folder: Path,
        configuration: str,
        *,
        port: int | None = None,
        values: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port=port)
        self.configuration = configuration
        self._values = dict(values or {})

    @property
    def url(self) -> str:
        """The address of the main port, for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def reload(self, configuration: str | None = None) -> None:
        """Take another configuration, or the same anew, without dropping a connection.

        Connections stay with the old worker until they end, or as long as `hard-stop-after` of
        the configuration lets them. A faulty one is refused with ServerFailed, and nothing
        changes.
        """
        before = self.configuration
        self.configuration = before if configuration is None else configuration
        try:
            self._prepare()
        except Exception:
            self.configuration = before
            raise
        since = self.log_size()
        self._signal(signal.SIGUSR2)
        self.until(lambda: "Loading success" in self.log(since), "reloaded", seconds=RELOAD_SECONDS)

    def _prepare(self) -> None:
        """Put the configuration in place once HAProxy has found it good."""
        candidate = self.folder / "haproxy.cfg.new"
        candidate.write_text(self.configuration)
        done = run(
            [find_program("haproxy"), "-c", "-f", str(candidate)],
            environment=self._environment(),
            cwd=self.folder,
        )
        if done.returncode:
            raise self.failure(f"refuses its configuration:\n{done.stdout}{done.stderr}")
        candidate.rename(self.folder / "haproxy.cfg")

    def _command(self) -> list[str]:
        return [find_program("haproxy"), "-W", "-db", "-f", str(self.folder / "haproxy.cfg")]

    def _is_ready(self) -> bool:
        """The port is taken by the master, which then forks the worker that answers."""
        return super()._is_ready() and len(self.processes()) > 1

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"PORT": str(self.port)} | self._values

    def _signal(self, number: int) -> None:
        assert self._process is not None, "it was never started"
        self._process.send_signal(number)
