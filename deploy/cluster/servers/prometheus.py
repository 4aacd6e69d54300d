"""A private Prometheus: configuration and rules of deploy/prometheus, and targets of its own."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

from deploy.cluster.servers.base import PrivateServer
from deploy.cluster.servers.ports import accepts
from deploy.cluster.servers.programs import find_program, run

CONFIGURATION = Path(__file__).resolve().parents[2] / "prometheus"

ANSWER_SECONDS = 10.0

INTERVAL = "interval: 15s"
"""How prometheus.yml says how often it scrapes, and evaluates."""

_open = build_opener(ProxyHandler({})).open


class Prometheus(PrivateServer):
    """Scrapes `targets`, by job `host:port` of each; keeps what it has for a day at most."""

    name = "Prometheus"

    def __init__(
        self,
        folder: Path,
        targets: Mapping[str, Sequence[str]],
        *,
        port: int | None = None,
        interval: str = "15s",
    ) -> None:
        """`interval` is how often it scrapes, and evaluates the rules."""
        super().__init__(folder, port=port)
        self._targets = targets
        self._interval = interval

    @property
    def url(self) -> str:
        """Its page, and its API."""
        return f"http://127.0.0.1:{self.port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return what an expression gives now. Raises `ValueError` where it is none."""
        result = self.api("query", query=expression)["result"]
        return [*result] if isinstance(result, list) else []

    def api(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of its API. Raises `ValueError` where it refuses."""
        url = f"{self.url}/api/v1/{path}?{urlencode(parameters)}"
        try:
            with _open(url, timeout=ANSWER_SECONDS) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from None

    def _prepare(self) -> None:
        configuration = (CONFIGURATION / "prometheus.yml").read_text()
        everywhere, _, _ = configuration.partition("\nscrape_configs:")
        everywhere = everywhere.replace(INTERVAL, f"interval: {self._interval}")
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [*targets]}]}
            for job, targets in self._targets.items()
        ]
        self._write("prometheus.yml", f"{everywhere}\nscrape_configs: {json.dumps(jobs)}\n")
        for rules in (CONFIGURATION / "rules").glob("*.yml"):
            self._write(f"rules/{rules.name}", rules.read_text())
        done = run(
            [find_program("promtool"), "check", "config", str(self.folder / "prometheus.yml")],
            environment=self._environment(),
            cwd=self.folder,
        )
        if done.returncode:
            raise self.failure(f"refuses its configuration:\n{done.stdout}{done.stderr}")

    def _command(self) -> list[str]:
        return [
            find_program("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            "--storage.tsdb.retention.time=1d",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]

    def _is_ready(self) -> bool:
        if not accepts(self.port):
            return False
        try:
            with _open(f"{self.url}/-/ready", timeout=ANSWER_SECONDS):
                return True
        except OSError:
            return False
