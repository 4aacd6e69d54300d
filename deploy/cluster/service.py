"""One of Allibe's own processes, as a private server: `allibe gateway` and the like."""

import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from deploy.cluster.servers import PrivateServer, reserve_port
from deploy.cluster.servers.ports import release_port

ALLIBE = Path(sys.executable).with_name("allibe")

PROBE_SECONDS = 3.0
"""For an answer of `/readyz`, which itself waits 2 s for what it asks."""

_open = build_opener(ProxyHandler({})).open


class Service(PrivateServer):
    """`allibe <arguments>` on two ports of loopback: `port` for clients, `ops_port` for operators.

    `settings` and `program` may be changed while it is stopped. Ready means what `/readyz` says.
    """

    stop_seconds = 30.0
    """Longer than it takes to drain (`ALLIBE_DRAIN_SECONDS`) and to close everything."""

    def __init__(
        self,
        folder: Path,
        arguments: Sequence[str],
        settings: Mapping[str, str],
        *,
        name: str,
        program: Sequence[str] = (),
    ) -> None:
        """`program` is what the command line is given to, where it is not run itself."""
        super().__init__(folder)
        self.name = name
        self.ops_port = reserve_port()
        self.settings = dict(settings)
        self._arguments = arguments
        self.program = list(program)

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ops_url(self) -> str:
        """The address for operators."""
        return f"http://127.0.0.1:{self.ops_port}"

    @property
    def address(self) -> str:
        """The address for clients, as load balancers want it."""
        return f"127.0.0.1:{self.port}"

    @property
    def ops_address(self) -> str:
        """The address for operators, as Prometheus wants it."""
        return f"127.0.0.1:{self.ops_port}"

    def until_ready(self) -> None:
        """Return once it is ready, also when what it works with was away. ServerFailed if never."""
        self.until(self._is_ready, "was ready", seconds=self.start_seconds)

    def close(self) -> None:
        """Kill it and give up folder and ports."""
        super().close()
        release_port(self.ops_port)

    def _command(self) -> list[str]:
        return [*self.program, str(ALLIBE), *self._arguments]

    def _environment(self) -> dict[str, str]:
        addresses = {
            "ALLIBE_HOST": "127.0.0.1",
            "ALLIBE_PORT": str(self.port),
            "ALLIBE_OPS_HOST": "127.0.0.1",
            "ALLIBE_OPS_PORT": str(self.ops_port),
        }
        return super()._environment() | self.settings | addresses

    def _is_ready(self) -> bool:
        return answer(f"{self.ops_url}/readyz") == HTTPStatus.OK


def answer(url: str) -> int | None:
    """Return the status with which a GET of this address is answered, None when it is not."""
    try:
        with _open(url, timeout=PROBE_SECONDS) as response:
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None
