"""A real `allibe serve` process: own folder, own port, its log kept and looked at.

Everything here waits for something that happens (a line, an answer, an exit), never for time to
pass. Calls block: from a test that serves a connection meanwhile, use `asyncio.to_thread`.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import jwt

from allibe_services.rates.policy import NO_LIMITS
from deploy.cluster.servers.ports import release_port, reserve_port

ALLIBE = Path(sys.executable).with_name("allibe")
"""The installed command, beside the interpreter that runs the tests."""

WAIT_SECONDS = 30.0
"""For whatever takes milliseconds on a machine that is not overloaded."""

POLL_SECONDS = 0.02

SECRET = "the tests' own secret, as long as the longest hash: sixty-four bytes and more"
AUDIENCE = "allibe-tests"

_FAULTS = re.compile(
    r"Traceback \(most recent call last\)|never retrieved|was never awaited|ResourceWarning"
)
"""What no log may hold, whatever clients do."""

_open = build_opener(ProxyHandler({})).open


class Server:
    """One server, which may be stopped, killed and started again on the same port and folder.

    With `demo` it is `allibe serve --demo`; without, it checks tokens with `SECRET` and
    `AUDIENCE`, and `sign` makes them.
    """

    def __init__(
        self, folder: Path, *, demo: bool = True, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log_path = folder / "server.log"
        self.port, self.ops_port = free_port(), free_port()
        self.demo = demo
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: set[str] = set()
        self.secrets: set[str] = set()
        """What else no log may hold, as tickets."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ops_url(self) -> str:
        """Where `/readyz` and `/metrics` are."""
        return self.url if self.demo else f"http://127.0.0.1:{self.ops_port}"

    @property
    def database(self) -> Path:
        return self.data / "allibe.db"

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Start it and return once it is ready."""
        self.launch()
        eventually(self._is_ready, f"{self.url} is ready", log=self.log)

    def launch(self) -> None:
        """Start it and return at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = ["serve", "--port", str(self.port)]
        if self.demo:
            arguments += ["--demo", "--data", str(self.data)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [ALLIBE, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(self._settings() | self._environment),
                cwd=self.folder,
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; return its exit code."""
        self._running().send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return its exit code once it has ended."""
        return self._running().wait(WAIT_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL."""
        process = self._running()
        process.kill()
        process.wait(WAIT_SECONDS)

    def restart(self) -> None:
        """Start it again on the same port and folder."""
        if self._process is not None and self._process.poll() is None:
            self.stop()
        self.start()

    def close(self) -> None:
        """End it, however it is doing."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(WAIT_SECONDS)

    def token(self, user: str, ttl: float | None = None) -> str:
        """Return a token of the demo, or one that `sign` makes; good for `ttl` seconds."""
        if not self.demo:
            return self.sign(user, ttl=3600 if ttl is None else ttl)
        query = {"user": user} | ({} if ttl is None else {"ttl": str(ttl)})
        token = json.loads(self.get(f"/api/demo/token?{urlencode(query)}"))["token"]
        assert isinstance(token, str)
        self._tokens.add(token)
        return token

    def sign(self, user: str, *, ttl: float = 3600, key: str = SECRET, **claims: object) -> str:
        """Return a token as the owner's login service would make it; None drops a claim."""
        told = {"sub": user, "exp": time.time() + ttl, "aud": AUDIENCE} | claims
        token = jwt.encode(
            {name: value for name, value in told.items() if value is not None}, key, "HS256"
        )
        self._tokens.add(token)
        return token

    def get(self, path: str) -> str:
        """Return what an address on the main port answers."""
        return _get(self.url + path)[1]

    def readiness(self) -> tuple[int, str]:
        """Return status and text of `/readyz`."""
        return _get(f"{self.ops_url}/readyz")

    def metric(self, name: str, **labels: str) -> float:
        """Return a figure of `/metrics`; 0 while nothing was counted."""
        told = "".join(f'{label}="{value}",' for label, value in labels.items()).rstrip(",")
        wanted = f"{name}{{{told}}}" if told else name
        for line in _get(f"{self.ops_url}/metrics")[1].splitlines():
            key, _, value = line.rpartition(" ")
            if key == wanted:
                return float(value)
        return 0.0

    def until_counted(self, name: str, least: float = 1, **labels: str) -> None:
        """Wait until a figure of `/metrics` is at least so much."""
        what = f"{name} {labels or ''} is {least}"
        eventually(lambda: self.metric(name, **labels) >= least, what, log=self.log)

    def memory(self) -> int:
        """Return the resident bytes of the process."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the process has no memory: it is gone")

    def log(self, since: int = 0) -> str:
        """Return what it wrote, from a byte on."""
        return self.log_path.read_bytes()[since:].decode(errors="replace")

    def log_size(self) -> int:
        """Return how much it wrote so far."""
        return self.log_path.stat().st_size

    def check_log(self, since: int = 0) -> None:
        """Fail when it holds a traceback, a warning of Python's, or a token."""
        check_text(self.log(since), self._tokens | self.secrets)

    def _settings(self) -> dict[str, str]:
        # One user of a test does more than a person may.
        settings = {"ALLIBE_LOG_FORMAT": "console"} | NO_LIMITS
        if not self.demo:
            settings |= {
                "ALLIBE_OPS_PORT": str(self.ops_port),
                "ALLIBE_DATABASE_URL": f"sqlite:///{self.database}",
                "ALLIBE_JWT_SECRET": SECRET,
                "ALLIBE_JWT_AUDIENCE": AUDIENCE,
            }
        return settings

    def _is_ready(self) -> bool:
        code = self._running().poll()
        assert code is None, f"the server ended with code {code} at its start:\n{self.log()}"
        try:
            return self.readiness()[0] == 200
        except OSError:
            return False

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "the server was never started"
        return self._process


def check_text(log: str, tokens: Collection[str] = ()) -> None:
    """Fail when a log holds a traceback, a warning of Python's, or one of the tokens."""
    fault = _FAULTS.search(log)
    assert fault is None, f"the server's log holds {fault[0]!r}:\n{log[-8000:]}"
    leaked = [token for token in tokens if token.rpartition(".")[2] in log]
    assert not leaked, f"the server's log holds {len(leaked)} tokens:\n{log[-8000:]}"


@contextmanager
def running(
    folder: Path, *, demo: bool = True, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Give a server that is ready; at the end it is gone and its log was looked at."""
    server = Server(folder, demo=demo, environment=environment)
    try:
        server.start()
        yield server
    finally:
        server.close()
    server.check_log()


def run_allibe(
    *arguments: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command of `allibe` to its end."""
    return subprocess.run(
        [ALLIBE, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env=clean_environment(environment or {}),
        cwd=folder,
    )


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these settings of Allibe's and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALLIBE_")}
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(settings)


def free_port() -> int:
    """Return a port of this machine that nobody listens on, nor has reserved for later.

    A private server that is down for the moment has: whoever took its port would keep it from
    coming back.
    """
    port = reserve_port()
    release_port(port)
    return port


def eventually(
    check: Callable[[], bool], what: str, *, log: Callable[[], str] | None = None
) -> None:
    """Return once the check is true; fail, saying what was waited for, when it never is."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not check():
        if time.monotonic() > deadline:
            tail = f"\n{log()[-4000:]}" if log is not None else ""
            raise AssertionError(f"waited {WAIT_SECONDS:.0f} s in vain until {what}{tail}")
        time.sleep(POLL_SECONDS)


def _get(url: str) -> tuple[int, str]:
    try:
        with _open(url, timeout=WAIT_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
