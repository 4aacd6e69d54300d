"""A private RabbitMQ node.

Commands go through `erl_call`, which is part of Debian's Erlang: 5 ms for what takes
`rabbitmqctl`, itself an Erlang machine that starts and ends, half a second and more.
"""

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from deploy.cluster.servers.base import PrivateServer
from deploy.cluster.servers.epmd import Epmd
from deploy.cluster.servers.ports import accepts, release_port, reserve_port
from deploy.cluster.servers.programs import find_program, run

USER = "allibe"

MEMORY = "1GB"
"""Where the memory alarm goes off. The default is 40 % of the machine's, which is not ours."""

EVAL_SECONDS = 10

_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
vm_memory_high_watermark.absolute = {memory}
raft.wal_max_size_bytes = 64000000
log.console = true
log.console.level = info
log.file = false
"""
# The write-ahead log of quorum queues is also held in memory; by default it grows to 512 MB.

_LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"
"""For the port where nodes talk; rabbitmq.conf knows only of the others."""

_calls = itertools.count()

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")


class RabbitMQ(PrivateServer):
    """One node with its own data, cookie and port mapper, or one of a cluster's nodes.

    Its node name does not depend on ports, as the data are kept under it. `plugins` are few on
    purpose: each makes the start longer.
    """

    name = "RabbitMQ"
    start_seconds = 120.0

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        node: str = "rabbit@localhost",
        epmd: Epmd | None = None,
        home: Path | None = None,
        plugins: Sequence[str] = (),
        configuration: str = "",
    ) -> None:
        super().__init__(folder, port=port, home=home)
        self.node = node
        self.distribution_port = reserve_port()
        self._owns_epmd = epmd is None
        self.epmd = Epmd(self.folder / "epmd") if epmd is None else epmd
        self._plugins = plugins
        self._more_configuration = configuration

    def url(self, vhost: str = "/") -> str:
        """Return the address of a virtual host, password included."""
        password = self._secret("password")
        return f"amqp://{USER}:{password}@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    def eval(self, expression: str) -> str:
        """Evaluate an Erlang expression on the node and return the result as Erlang prints it.

        ServerFailed when it raises, is not Erlang, or the node does not answer in 10 s.
        """
        # Under its default name a second call at the same time, or soon after, is turned away.
        name = f"call-{os.getpid()}-{next(_calls)}"
        how = ("-sname", self.node, "-h", name, "-timeout", str(EVAL_SECONDS))
        done = run(
            [find_program("erl_call"), *how, "-fetch_stdout", "-no_result_term", "-e"],
            text=f'io:format("~0p", [try {{value, ({expression})}} catch C:R -> {{C, R}} end]).\n',
            environment=self._environment(),
            timeout=EVAL_SECONDS + 5,
        )
        answer = done.stdout.strip()
        if done.returncode or not answer.startswith("{value,"):
            said = answer or done.stderr.strip() or "nothing: is it Erlang?"
            raise self.failure(f"evaluates {expression} to {said}")
        return answer.removeprefix("{value,").removesuffix("}")

    def add_vhost(self, name: str) -> str:
        """Make a virtual host that our user may do everything in; return its URL."""
        vhost, user, everything = f'<<"{_checked(name)}">>', f'<<"{USER}">>', '<<".*">>'
        self.eval(
            f"begin ok = rabbit_vhost:add({vhost}, {user}),"
            f" ok = rabbit_vhost:await_running_on_all_nodes({vhost}, {EVAL_SECONDS * 1000}),"
            f" ok = rabbit_auth_backend_internal:set_permissions({user}, {vhost},"
            f" {everything}, {everything}, {everything}, {user}) end"
        )
        return self.url(name)

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host with its queues, and close its connections."""
        self.eval(f'rabbit_vhost:delete(<<"{_checked(name)}">>, <<"{USER}">>)')

    def close_all_connections(self) -> None:
        """Close every client's connection to this node, as an operator would."""
        self.eval(
            "rabbit_networking:close_connections("
            'rabbit_networking:connections_local(), "closed by the operator")'
        )

    def set_memory_alarm(self, on: bool) -> None:
        """Raise the memory alarm, which blocks publishers, or lift it; it is so on return."""
        watermark = "0.00001" if on else f'{{absolute, "{MEMORY}"}}'
        self.eval(f"vm_memory_monitor:set_vm_memory_high_watermark({watermark})")
        alarm = "{{resource_limit, memory, node()}, []}"
        self.until(
            lambda: (
                self.eval(f"lists:member({alarm}, rabbit_alarm:get_alarms())") == str(on).lower()
            ),
            "changed its alarm",
            seconds=EVAL_SECONDS,
        )

    def start(self) -> None:
        """Start it, and return once it has booted. ServerFailed when it does not."""
        if self._owns_epmd:
            self.epmd.ensure()
        super().start()

    def kill(self) -> None:
        """End all its processes as a power cut would, its own port mapper included."""
        super().kill()
        if self._owns_epmd:
            self.epmd.kill()

    def close(self) -> None:
        """Kill it and give up folder and ports."""
        super().close()
        release_port(self.distribution_port)
        if self._owns_epmd:
            self.epmd.close()

    def _prepare(self) -> None:
        self._write(
            "rabbitmq.conf",
            _CONFIGURATION.format(
                port=self.port, user=USER, password=self._secret("password"), memory=MEMORY
            )
            + self._more_configuration,
        )
        self._write("enabled_plugins", f"[{','.join(self._plugins)}].\n")
        self._secret(".erlang.cookie")  # Erlang insists on 0600

    def _command(self) -> list[str]:
        return [find_program("rabbitmq-server")]

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return (
            super()._environment()
            | self.epmd.environment()
            | {
                # Its script then becomes the Erlang machine, instead of staying as its parent, and
                # SIGTERM reaches that. Without NOTIFY_SOCKET there is no more to it.
                "RUNNING_UNDER_SYSTEMD": "true",
                "RABBITMQ_NODENAME": self.node,
                "RABBITMQ_DIST_PORT": str(self.distribution_port),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _LOOPBACK_ONLY,
                # /etc/rabbitmq is the system's.
                "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
                "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
                "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/none.config",
                "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
                "RABBITMQ_MNESIA_BASE": f"{folder}/data",
                "RABBITMQ_LOG_BASE": f"{folder}/log",
                "RABBITMQ_LOGS": "-",
            }
        )

    def _is_ready(self) -> bool:
        # It listens a moment before it has booted.
        return accepts(self.port) and self.eval("rabbit:is_running()") == "true"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for RabbitMQ: {name!r}")
    return name
