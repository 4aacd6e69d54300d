"""The floor: one thread, one `send(2)` for each delivery, nothing else. floor.c beside this."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.build import compiled
from bench.crowd import Crowd
from bench.peers.base import Promises, Running, System, reached, started_on
from deploy.cluster.servers import PrivateServer

SOURCE = Path(__file__).with_name("floor.c")


class _Server(PrivateServer):
    name = "floor"

    def _command(self) -> list[str]:
        return [str(compiled("floor", [SOURCE])), str(self.port)]


class _Running(Running):
    def __init__(self, server: _Server, crowd: Crowd) -> None:
        self._server = server
        self._crowd = crowd

    def options(self) -> list[str]:
        told = reached("bare", [self._server.port], [self._server.pid])
        return [*told, "--token", "nobody", *self._crowd.options()]


class Floor(System):
    """The least that a WebSocket server can do."""

    name = "floor"
    title = "floor (C)"
    promises = Promises(
        stores="nothing",
        orders="as one thread reads",
        authenticates="nobody",
        brings_back="nothing",
        processes="1",
    )

    def version(self) -> str:
        return "bench/peers/floor.c, gcc -O2"

    @contextmanager
    def running(self, crowd: Crowd, *, core: int, durable: bool = False) -> Iterator[Running]:
        with started_on(core) as folder, _Server(folder / "floor") as server:
            yield _Running(server, crowd)


FLOOR = Floor()
