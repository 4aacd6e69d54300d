"""What `kubectl kustomize` makes of k8s/: no cluster, no network."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.unit.deployment.dockerfile import ROOT

K8S = ROOT / "k8s"
OVERLAYS = ("dev", "prod")

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Objects:
    """All that one rendering holds."""

    all: Sequence[Manifest]

    def of(self, kind: str) -> list[Manifest]:
        """Return the objects of a kind, in their order."""
        return [item for item in self.all if item["kind"] == kind]

    def one(self, kind: str, name: str) -> Manifest:
        """Return the object of that kind and name. ValueError unless there is one."""
        (found,) = [item for item in self.of(kind) if item["metadata"]["name"] == name]
        return found

    def workloads(self) -> Iterator[Manifest]:
        """Return all that makes pods by itself."""
        yield from (item for item in self.all if "template" in item.get("spec", {}))

    def ours(self) -> Iterator[Manifest]:
        """Return the workloads that run Allibe's image."""
        yield from (item for item in self.workloads() if container(item)["name"] == "allibe")


def pod(workload: Manifest) -> Manifest:
    """Return the specification of a workload's pods."""
    found: Manifest = workload["spec"]["template"]["spec"]
    return found


def pod_labels(workload: Manifest) -> dict[str, str]:
    """Return the labels of a workload's pods."""
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def container(workload: Manifest) -> Manifest:
    """Return the only container of a workload's pods."""
    (found,) = pod(workload)["containers"]
    return dict(found)


def settings_of(objects: Objects, workload: Manifest) -> dict[str, str]:
    """Return the environment that a workload's process gets."""
    environment: dict[str, str] = {}
    for source in container(workload).get("envFrom", ()):
        environment |= objects.one("ConfigMap", source["configMapRef"]["name"])["data"]
    return environment | {item["name"]: item["value"] for item in container(workload)["env"]}


@cache
def rendered(overlay: str) -> Objects:
    """Return what an overlay comes to."""
    return _kustomized(K8S / "overlays" / overlay)


def with_components(*names: str, overlay: str = "dev") -> Objects:
    """Return what an overlay and more components come to."""
    with tempfile.TemporaryDirectory() as folder:
        here = os.path.relpath(K8S, Path(folder).resolve())
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [f"{here}/overlays/{overlay}"],
            "components": [f"{here}/components/{name}" for name in names],
        }
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return _kustomized(Path(folder))


def _kustomized(folder: Path) -> Objects:
    kubectl = Path(sys.executable).with_name("kubectl")
    command = [str(kubectl), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return Objects(tuple(yaml.safe_load_all(done.stdout)))
