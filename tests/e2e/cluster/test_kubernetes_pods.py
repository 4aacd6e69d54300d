"""What k8s/overlays/prod would run in pods, run here: with their arguments, settings and secrets,
on the cluster's servers, asked what the probes ask. Only addresses are others, and where secrets
are mounted.

A guard stands for the read-only root: who opens a file to write to it, or makes one, ends.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from allibe_services.vapid import VapidKey
from deploy.cluster.parts import Cluster
from deploy.cluster.service import answer
from tests.support.server import ALLIBE, WAIT_SECONDS, eventually, free_port
from tests.unit.deployment.rendered import Manifest, container, pod, rendered, settings_of

GUARD = """
import os, sys

def guard(event, arguments):
    writes = event == "open" and not isinstance(arguments[0], int) and (
        arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and arguments[0] != os.devnull
    )
    if writes or event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate"):
        os.write(2, f"the file system is read-only: {event} {arguments}\\n".encode())
        os._exit(77)

sys.addaudithook(guard)
"""

OBJECTS = rendered("prod")


@pytest.fixture(name="secrets", scope="module")
def the_secrets(shared_cluster: Cluster) -> dict[str, str]:
    """What operators and people put into the volumes, by the volumes' names."""
    return {
        "bus": shared_cluster.bus_url(),
        "database": shared_cluster.database_url(),
        "redis": shared_cluster.redis_url(),
        "tokens": shared_cluster.secret(),
        "push": VapidKey.generate().private_key,
    }


class Pod:
    """The process of a workload's container, without the rest of this process's environment."""

    def __init__(self, workload: Manifest, secrets: dict[str, str], folder: Path) -> None:
        self.ops_port = free_port()
        self.log_path = folder / "log"
        (folder / "sitecustomize.py").write_text(GUARD)
        mounts = {one["name"]: one["mountPath"] for one in container(workload)["volumeMounts"]}
        for volume in pod(workload)["volumes"]:
            place = folder / mounts[volume["name"]].lstrip("/")
            place.mkdir(parents=True)
            (item,) = volume["secret"]["items"]
            (place / item["path"]).write_text(secrets[volume["name"]] + "\n")
        self.environment = {
            name: value.replace("/etc/allibe/", f"{folder}/etc/allibe/")
            for name, value in settings_of(OBJECTS, workload).items()
        } | {
            "ALLIBE_HOST": "127.0.0.1",
            "ALLIBE_PORT": str(free_port()),
            "ALLIBE_OPS_HOST": "127.0.0.1",
            "ALLIBE_OPS_PORT": str(self.ops_port),
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(folder),
        }
        self._arguments = container(workload)["args"]

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run it; killed at the end, if it has not ended."""
        with self.log_path.open("wb") as log:
            process = subprocess.Popen(
                [ALLIBE, *self._arguments], cwd="/", env=self.environment, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait(WAIT_SECONDS)

    def log(self) -> str:
        return self.log_path.read_text()


SERVERS = [item for item in OBJECTS.ours() if item["kind"] == "Deployment"]


@pytest.mark.parametrize("workload", SERVERS, ids=lambda item: item["metadata"]["name"])
def test_a_pod_becomes_ready_and_ends_when_it_is_told_to(
    workload: Manifest, secrets: dict[str, str], tmp_path: Path
) -> None:
    made = Pod(workload, secrets, tmp_path)
    probes = {
        container(workload)[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    with made.running() as process:

        def is_ready() -> bool:
            assert process.poll() is None, made.log()
            return {answer(f"http://127.0.0.1:{made.ops_port}{path}") for path in probes} == {200}

        eventually(is_ready, "all probes succeed", log=made.log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(pod(workload)["terminationGracePeriodSeconds"]) == 0, made.log()


def test_the_migration_ends_well(secrets: dict[str, str], tmp_path: Path) -> None:
    made = Pod(OBJECTS.one("Job", "allibe-migrate"), secrets, tmp_path)
    with made.running() as process:
        assert process.wait(WAIT_SECONDS) == 0, made.log()


def test_who_writes_a_file_would_be_found(secrets: dict[str, str], tmp_path: Path) -> None:
    made = Pod(SERVERS[0], secrets, tmp_path)
    command = [sys.executable, "-c", f"open('{tmp_path}/new', 'w')"]
    done = subprocess.run(command, env=made.environment, capture_output=True, check=False)
    assert done.returncode == 77
    assert b"read-only" in done.stderr
