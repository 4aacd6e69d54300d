"""Socket.IO on Node, by itself and as two servers that Redis connects. socketio/ beside this."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.crowd import Crowd, write_tokens
from bench.errors import BenchError
from bench.peers.base import Promises, Running, System, reached, started_on
from deploy.cluster.servers import PrivateServer, Redis
from deploy.cluster.servers.programs import find_program

SOURCES = Path(__file__).with_name("socketio")
INSTALL = Path(__file__).parents[2] / "scripts" / "npm.sh"
INSTALL_SECONDS = 300.0
SECRET = "a secret of the benchmark, which signs the tokens of its crowd"


class _Server(PrivateServer):
    name = "Socket.IO"

    def __init__(self, folder: Path, redis_url: str = "") -> None:
        super().__init__(folder)
        self._redis_url = redis_url

    def _command(self) -> list[str]:
        return [find_program("node"), str(SOURCES / "server.mjs"), str(self.port)]

    def _environment(self) -> dict[str, str]:
        told = {"ALLIBE_BENCH_SECRET": SECRET, "NODE_ENV": "production"}
        redis = {"ALLIBE_BENCH_REDIS": self._redis_url} if self._redis_url else {}
        return super()._environment() | told | redis


class _Running(Running):
    def __init__(self, servers: list[_Server], others: list[PrivateServer], words: list[str]):
        self._servers = servers
        self._others = others
        self._words = words

    def options(self) -> list[str]:
        pids = [server.pid for server in (*self._servers, *self._others)]
        return [*reached("socketio", [one.port for one in self._servers], pids), *self._words]


class SocketIO(System):
    """One server, or two with the Redis adapter, which clients go to in turn."""

    def __init__(self, name: str, title: str, *, redis: bool) -> None:
        self.name = name
        self.title = title
        self._redis = redis
        self.promises = Promises(
            stores="nothing",
            orders="as each server reads; two servers need not agree" if redis else "as it reads",
            authenticates="a JWT at the connection, in the 15 lines of our server.mjs;"
            " membership is not looked up",
            brings_back="nothing over a restart"
            + ("" if redis else " (from its memory after a short cut, if turned on)"),
            processes="2 servers, Redis" if redis else "1",
        )

    def version(self) -> str:
        _install()
        node = subprocess.run(
            [find_program("node"), "--version"], capture_output=True, text=True, check=False
        )
        names = ["socket.io", "ws", *(["@socket.io/redis-adapter"] if self._redis else [])]
        return ", ".join([*map(_installed, names), f"Node {node.stdout.strip().lstrip('v')}"])

    @contextmanager
    def running(self, crowd: Crowd, *, core: int, durable: bool = False) -> Iterator[Running]:
        _install()
        with started_on(core) as folder, ExitStack() as stack:
            others: list[PrivateServer] = []
            url = ""
            if self._redis:
                redis = stack.enter_context(Redis(folder / "redis"))
                others, url = [redis], redis.url()
            names = ["server-1", "server-2"] if self._redis else ["server"]
            servers = [stack.enter_context(_Server(folder / name, url)) for name in names]
            tokens = write_tokens(folder / "tokens", crowd.users(), SECRET)
            yield _Running(servers, others, ["--tokens", str(tokens), *crowd.options()])


def _install() -> None:
    """Bring node_modules to what the lock says; quick when it is so."""
    try:
        done = subprocess.run(
            [INSTALL, SOURCES],
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"npm had {INSTALL_SECONDS:.0f} s for Socket.IO") from error
    if done.returncode:
        raise BenchError((done.stderr.strip() or "npm did not install Socket.IO").splitlines()[-1])


def _installed(package: str) -> str:
    found = json.loads((SOURCES / "node_modules" / package / "package.json").read_text())
    return f"{package} {found['version']}"


SOCKET_IO = SocketIO("socketio", "Socket.IO", redis=False)
SOCKET_IO_REDIS = SocketIO("socketio-redis", "Socket.IO with Redis", redis=True)
