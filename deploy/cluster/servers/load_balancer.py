"""What private load balancers have in common: a configuration of the caller's, and its reload."""

import signal
from collections.abc import Mapping
from pathlib import Path

from deploy.cluster.servers.base import PrivateServer
from deploy.cluster.servers.programs import run

RELOAD_SECONDS = 20.0


class LoadBalancer(PrivateServer):
    """One load balancer over a configuration of the caller's: a main process, and those it forks.

    What differs from place to place stands in the configuration as variables, `${GATEWAY_1}`, so
    that the very file of the deployment can be used: PORT is our port, `values` holds the others.
    """

    file_name: str
    """Of the configuration."""
    reload_signal: signal.Signals

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
        self._values = {"PORT": str(self.port)} | dict(values or {})

    @property
    def url(self) -> str:
        """The address of the main port, for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def reload(self, configuration: str | None = None) -> None:
        """Take another configuration, or the same anew, without dropping a connection.

        Connections stay with the old worker until they end, or as long as the configuration lets
        them. A faulty one is refused with ServerFailed, and nothing changes.
        """
        before = self.configuration
        self.configuration = before if configuration is None else configuration
        try:
            self._prepare()
        except Exception:
            self.configuration = before
            raise
        since = self.log_size()
        self._signal(self.reload_signal)
        self.until(lambda: self._told(self.log(since)), "reloaded", seconds=RELOAD_SECONDS)

    def _prepare(self) -> None:
        """Put the configuration in place once the program has found it good."""
        candidate = self.folder / f"{self.file_name}.new"
        candidate.write_text(self._text())
        done = run(self._check(candidate), environment=self._environment(), cwd=self.folder)
        if done.returncode:
            raise self.failure(f"refuses its configuration:\n{done.stdout}{done.stderr}")
        candidate.rename(self.folder / self.file_name)

    def _text(self) -> str:
        """Return the configuration as the program is to read it."""
        return self.configuration

    def _check(self, path: Path) -> list[str]:
        """Return the program and its arguments to check a configuration."""
        raise NotImplementedError

    def _told(self, log: str) -> bool:
        """Tell whether, by what it logged since, all that comes now meets the new configuration."""
        raise NotImplementedError

    def _is_ready(self) -> bool:
        """The port is taken by the main process, which then forks the one that answers."""
        return super()._is_ready() and len(self.processes()) > 1

    def _signal(self, number: int) -> None:
        assert self._process is not None, "it was never started"
        self._process.send_signal(number)
