"""`make cluster`: a cluster on this machine until Ctrl-C.

Exit code 0 after a stop in order, 130 when that was cut short or the start given up, 1 with one
line for what cannot be.
"""

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path

from allibe_standalone import demo
from deploy.cluster.keeper import Keeper
from deploy.cluster.parts import Cluster
from deploy.cluster.servers import ProgramMissing, ServerFailed
from deploy.cluster.signals import Signals

INTERRUPTED = 130


def main() -> int:
    """Run it; return the exit code."""
    options = _options()
    signals = Signals()
    options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    cluster = Cluster(
        options.data / "cluster",
        port=options.port,
        workers=options.workers,
        nodes=options.nodes,
        secret_file=options.data / "demo-secret",
        settings=_pushes(options.data),
    )
    if options.prometheus:
        cluster.watch()
    try:
        return 0 if _run(cluster, signals) else INTERRUPTED
    finally:
        cluster.close()


def _pushes(folder: Path) -> dict[str, str]:
    """Return the demo's settings for Web Push, unless the user has some."""
    if any(name.startswith("ALLIBE_VAPID_PRIVATE_KEY") for name in os.environ):
        return {}
    return demo.vapid_settings(folder)


def _run(cluster: Cluster, signals: Signals) -> bool:
    """Start it, keep it until a signal, stop it; tell whether all that was done in order."""
    cluster.claim()
    _say("starting RabbitMQ, PostgreSQL, Redis, HAProxy, gateways, workers, rooms-api …")
    if not signals.run(cluster.start, cluster.give_up):
        return False
    keeper = Keeper(cluster.parts(), _say)
    _say(_invitation(cluster))
    signals.wait()
    _say("stopping; once more kills what has not ended")

    def stop() -> None:
        keeper.stop()
        cluster.stop()

    return signals.run(stop, cluster.kill)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.cluster", description=__doc__)
    parser.add_argument("--port", type=_port, default=8080, help="the load balancer's")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="where it keeps its files")
    parser.add_argument("--workers", type=int, default=2, choices=range(1, 9), metavar="1..8")
    parser.add_argument("--nodes", type=int, default=1, choices=(1, 3), help="RabbitMQ's")
    parser.add_argument("--prometheus", action="store_true", help="watch it with Prometheus")
    return parser.parse_args()


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError("a port is 1 to 65535")


def _invitation(cluster: Cluster) -> str:
    parts = "".join(
        f"  {part.name:17} pid {part.pid:<8} {part.log_path}\n" for part in cluster.parts()
    )
    ops = " ".join(f"{service.name} {service.ops_url}" for service in cluster.services)
    parts += f"Operations (/metrics, /readyz): {ops}\n"
    if cluster.prometheus is not None:
        parts += f"Prometheus, with all rules: {cluster.prometheus.url}/\n"
    return (
        f"{parts}What dies is started again; Ctrl-C stops everything.\n"
        f"Allibe is up: open {cluster.url}/, or say hello from another terminal: "
        f".venv/bin/allibe chat --room 1 --user alice --url {cluster.url}"
    )


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal is gone, which is no reason to leave things running
        print(text, flush=True)  # noqa: T201 - for the person at the terminal


def _one_line(error: Exception) -> str:
    what = str(error).partition("\n")[0]
    log_path = getattr(error, "log_path", None)
    return f"cluster: {what}" if log_path is None else f"cluster: {what}; why: {log_path}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ServerFailed, ProgramMissing, OSError) as error:
        sys.exit(_one_line(error))
