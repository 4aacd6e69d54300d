"""A real `allibe fanout-worker` process, which may be stopped, killed and frozen.

Calls block, except for signals: from a test that does something meanwhile, `asyncio.to_thread`.
"""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from tests.support.server import (
    ALLIBE,
    SECRET,
    WAIT_SECONDS,
    clean_environment,
    eventually,
    free_port,
)

_open = build_opener(ProxyHandler({})).open


class WorkerProcess:
    """One worker, with its log. `program` is what the command line is given to, if not run."""

    def __init__(
        self,
        folder: Path,
        *,
        bus: str,
        database: str,
        redis: str,
        program: Sequence[str | Path] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._program = program
        self.log_path = folder / "worker.log"
        self.ops_port = free_port()
        self._settings = {
            "ALLIBE_BUS_URL": bus,
            "ALLIBE_DATABASE_URL": database,
            "ALLIBE_REDIS_URL": redis,
            "ALLIBE_OPS_PORT": str(self.ops_port),
            "ALLIBE_JWT_SECRET": SECRET,
        } | dict(settings or {})
        folder.mkdir()

    def launch(self) -> None:
        """Start it and return at once."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._program, ALLIBE, "fanout-worker"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(self._settings),
                cwd=self.log_path.parent,
            )

    def until_ready(self) -> None:
        """Return once it consumes what is its own."""
        eventually(self._is_ready, "the worker is ready", log=self.log)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal and return at once."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Return its exit code when it has ended."""
        return self._process.wait(WAIT_SECONDS)

    def close(self) -> None:
        """End it, however it is doing; look at its log."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(WAIT_SECONDS)
        assert "Traceback" not in self.log(), self.log()

    def shards(self) -> set[int]:
        """Return the shards that it consumes, active or standing by."""
        names = [line.partition(":")[0] for line in self._get("/readyz").splitlines()]
        found = {int(name.removeprefix("shard-")) for name in names if name.startswith("shard-")}
        assert self.metric("allibe_worker_shards") >= 0
        return found

    def metric(self, name: str) -> float:
        """Return a figure; 0 while nothing was counted."""
        for line in self._get("/metrics").splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        return 0.0

    def log(self) -> str:
        """Return what it wrote."""
        return self.log_path.read_text(errors="replace")

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, f"the worker ended at its start:\n{self.log()}"
        try:
            return "shard-" in self._get("/readyz")
        except OSError:
            return False

    def _get(self, path: str) -> str:
        try:
            with _open(f"http://127.0.0.1:{self.ops_port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except HTTPError as error:
            with error:
                return error.read().decode()
