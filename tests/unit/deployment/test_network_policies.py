"""Who may talk to whom in Kubernetes."""

from ipaddress import ip_network
from typing import Any

import pytest

from allibe_services.outbound import addresses
from tests.unit.deployment.rendered import (
    OVERLAYS,
    Manifest,
    Objects,
    pod_labels,
    rendered,
)

RABBITMQ = {
    "app.kubernetes.io/name": "allibe-rabbitmq",
    "app.kubernetes.io/component": "rabbitmq",
    "app.kubernetes.io/part-of": "rabbitmq",
}
"""As the operators label what they make."""

POSTGRESQL = {"cnpg.io/cluster": "allibe-postgresql", "cnpg.io/podRole": "instance"}


def pods(objects: Objects) -> dict[str, dict[str, str]]:
    """Return the labels of every kind of pod that there is."""
    made = {item["metadata"]["name"]: pod_labels(item) for item in objects.workloads()}
    return made | {"rabbitmq": RABBITMQ, "postgresql": POSTGRESQL}


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    for rule in selector.get("matchExpressions", ()):
        within = labels.get(rule["key"]) in rule["values"]
        assert rule["operator"] in ("In", "NotIn")
        if within != (rule["operator"] == "In"):
            return False
    return True


def allowed(objects: Objects, way: str, labels: dict[str, str], other: dict[str, str]) -> set[Any]:
    """Return the ports on which these pods may reach others beside them, or be reached by them."""
    peers = {"Egress": "to", "Ingress": "from"}[way]
    return {
        port["port"]
        for policy in objects.of("NetworkPolicy")
        if way in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], labels)
        for rule in policy["spec"].get(way.lower(), ())
        if any(
            "namespaceSelector" not in peer
            and selects(peer.get("podSelector", {"matchLabels": {"": ""}}), other)
            for peer in rule.get(peers, ())
        )
        for port in rule["ports"]
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nobody_talks_to_anybody_unless_it_is_said(overlay: str) -> None:
    spec = rendered(overlay).one("NetworkPolicy", "default-deny")["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_reach_the_servers_that_they_need_and_no_others(overlay: str) -> None:
    """Both ends have to say so."""
    objects = rendered(overlay)
    there = pods(objects)
    found = {
        (source, target): ports
        for source, labels in there.items()
        for target, other in there.items()
        if (
            ports := allowed(objects, "Egress", labels, other)
            & allowed(objects, "Ingress", other, labels)
        )
    }
    servers = ("allibe-gateway", "allibe-rooms-api", "allibe-fanout-worker")
    expected: dict[tuple[str, str], set[Any]] = {}
    for name in servers:
        expected |= {
            (name, "rabbitmq"): {5672},
            (name, "postgresql"): {5432},
            (name, "redis"): {6379},
        }
    expected["allibe-migrate", "postgresql"] = {5432}
    expected["rabbitmq", "rabbitmq"] = {4369, 25672, 35672}
    expected["postgresql", "postgresql"] = {5432, 8000}
    assert found == expected


def test_clients_come_to_one_port_and_prometheus_to_the_other() -> None:
    """Each from namespaces that an operator has to name."""
    objects = rendered("prod")
    gateway = pod_labels(objects.one("Deployment", "allibe-gateway"))
    worker = pod_labels(objects.one("Deployment", "allibe-fanout-worker"))
    assert _from_namespaces(objects, gateway) == {
        ("allibe-entrance", "true", "http"),
        ("allibe-monitoring", "true", "ops"),
    }
    assert _from_namespaces(objects, worker) == {("allibe-monitoring", "true", "ops")}


def _from_namespaces(objects: Objects, labels: dict[str, str]) -> set[tuple[str, str, Any]]:
    return {
        (key, value, port["port"])
        for policy in objects.of("NetworkPolicy")
        if selects(policy["spec"]["podSelector"], labels)
        for rule in policy["spec"].get("ingress", ())
        for peer in rule["from"]
        if "namespaceSelector" in peer
        for key, value in peer["namespaceSelector"]["matchLabels"].items()
        for port in rule["ports"]
    }


def test_only_workers_reach_the_internet_and_nothing_of_ours_through_it() -> None:
    """The same addresses as the code's own, which users cannot talk into others either."""
    objects = rendered("prod")
    policies = {
        policy["metadata"]["name"]: policy["spec"]
        for policy in objects.of("NetworkPolicy")
        if any(
            "ipBlock" in peer
            for rule in policy["spec"].get("egress", ())
            for peer in rule.get("to", ())
        )
    }
    assert policies.keys() == {"push"}
    (rule,) = policies["push"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [443]
    reaching = [
        name
        for name, labels in pods(objects).items()
        if selects(policies["push"]["podSelector"], labels)
    ]
    assert reaching == ["allibe-fanout-worker"]
    four, six = (peer["ipBlock"] for peer in rule["to"])
    assert four["cidr"] == "0.0.0.0/0"
    assert set(map(ip_network, four["except"])) == set(addresses._NOT_PUBLIC_4)
    assert ip_network(six["cidr"]) == addresses._PUBLIC_6
    assert set(map(ip_network, six["except"])) == set(addresses._NOT_PUBLIC_6)


def test_without_the_component_nobody_reaches_the_internet() -> None:
    assert "push" not in [
        policy["metadata"]["name"] for policy in rendered("dev").of("NetworkPolicy")
    ]
