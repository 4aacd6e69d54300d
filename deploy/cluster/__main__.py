"""`make cluster`: a cluster on this machine until Ctrl-C."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from deploy.cluster.keeper import Keeper
from deploy.cluster.parts import Cluster
from deploy.cluster.servers import ProgramMissing, ServerFailed

KEEPER_SECONDS = 5.0


def main() -> int:
    """Run it; return the exit code."""
    options = _options()
    stopped = threading.Event()
    cluster = Cluster(
        options.data / "cluster",
        port=options.port,
        workers=options.workers,
        nodes=options.nodes,
        secret_file=options.data / "demo-secret",
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop(stopped))
    _say("starting RabbitMQ, PostgreSQL, Redis, HAProxy, gateways, workers, rooms-api …")
    cluster.start()
    try:
        _say(_invitation(cluster))
        keeper = Keeper(cluster.parts(), _say)
        stopped.wait()
        _say("stopping")
        keeper.stop(KEEPER_SECONDS)
        cluster.stop()
    finally:
        cluster.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.cluster", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="the load balancer's")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="where it keeps its files")
    parser.add_argument("--workers", type=int, default=2, choices=range(1, 9), metavar="1..8")
    parser.add_argument("--nodes", type=int, default=1, choices=(1, 3), help="RabbitMQ's")
    return parser.parse_args()


def _stop(stopped: threading.Event) -> None:
    """Stop in order; at once when asked a second time."""
    if stopped.is_set():
        raise KeyboardInterrupt
    stopped.set()


def _invitation(cluster: Cluster) -> str:
    parts = "".join(
        f"  {part.name:17} pid {part.pid:<8} {part.log_path}\n" for part in cluster.parts()
    )
    return (
        f"{parts}What dies is started again; Ctrl-C stops everything.\n"
        f"Allibe is up: open {cluster.url}/, or say hello from another terminal: "
        f".venv/bin/allibe chat --room 1 --user alice --url {cluster.url}"
    )


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - for the person at the terminal


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ServerFailed, ProgramMissing, OSError) as error:
        sys.exit(f"cluster: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
