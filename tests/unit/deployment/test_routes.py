"""Which Service a path leads to in Kubernetes, and which pods a Service."""

import re
from typing import Any

import pytest

from tests.unit.deployment.dockerfile import ROOT
from tests.unit.deployment.rendered import (
    OVERLAYS,
    Manifest,
    Objects,
    container,
    pod_labels,
    rendered,
    with_components,
)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_lead_to_ports_that_their_pods_have(overlay: str) -> None:
    objects = rendered(overlay)
    for service in objects.of("Service"):
        selector = service["spec"]["selector"]
        (workload,) = [
            item for item in objects.workloads() if selector.items() <= pod_labels(item).items()
        ]
        names = {port["name"] for port in container(workload)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names


def test_prometheus_finds_every_process_once() -> None:
    objects = rendered("prod")
    spec = objects.one("ServiceMonitor", "allibe")["spec"]
    (endpoint,) = spec["endpoints"]
    assert endpoint["path"] == "/metrics"
    found = [
        service["metadata"]["labels"][spec["jobLabel"]]
        for service in objects.of("Service")
        if spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        and endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    ]
    assert sorted(found) == ["fanout-worker", "gateway", "rooms-api"]


PATHS = {
    "/": "rooms_api",
    "/api/chat/rooms": "rooms_api",
    "/ws/chat": "gateways",
    "/ws/chatter": "rooms_api",
    "/allibe-ws": "gateways",
    "/allibe-wss": "rooms_api",
    "/allibe-ws/info": "gateways",
    "/allibe-ws/000/abcdefgh/websocket": "gateways",
    "/allibe-ws/000/abcdefgh/xhr": "sessions",
    "/allibe-ws/000/abcdefgh/xhr_send": "sessions",
}
"""Where deploy/haproxy/haproxy.cfg leads them, while all are ready; and deploy/nginx."""


@pytest.mark.parametrize("path", PATHS)
def test_the_load_balancer_and_ingress_and_route_agree(path: str) -> None:
    assert _by_haproxy(path) == PATHS[path]
    expected = {
        "rooms_api": {"allibe-rooms-api"},
        "gateways": {"allibe-gateway", "allibe-gateway-sockjs"},
        "sessions": {"allibe-gateway-sockjs"},
    }[PATHS[path]]
    assert _by_ingress(path) in expected
    assert _by_route(path) in expected


def _by_haproxy(path: str) -> str:
    text = (ROOT / "deploy" / "haproxy" / "haproxy.cfg").read_text()
    exact = re.search(r"acl is_gateways path (.*)", text)
    begins = re.search(r"acl is_gateways path_beg (.*)", text)
    session = re.search(r"acl is_session path_reg (.*)", text)
    assert exact is not None
    assert begins is not None
    assert session is not None
    if re.search(session[1], path):
        return "sessions"
    return "gateways" if path in exact[1].split() or path.startswith(begins[1]) else "rooms_api"


def _by_ingress(path: str) -> str:
    rules = [
        (entry["pathType"] == "Exact", len(entry["path"]), entry)
        for ingress in rendered("dev").of("Ingress")
        for rule in ingress["spec"]["rules"]
        for entry in rule["http"]["paths"]
        if _fits(entry["path"], entry["pathType"] == "Exact", path)
    ]
    return str(max(rules, key=lambda rule: rule[:2])[2]["backend"]["service"]["name"])


def _by_route(path: str) -> str:
    (route,) = rendered("prod").of("HTTPRoute")
    rules = [
        (match["path"]["type"] == "Exact", len(match["path"]["value"]), rule)
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
        if _fits(match["path"]["value"], match["path"]["type"] == "Exact", path)
    ]
    (backend,) = max(rules, key=lambda rule: rule[:2])[2]["backendRefs"]
    return str(backend["name"])


def _fits(pattern: str, exact: bool, path: str) -> bool:
    """Prefixes are of whole elements, and a slash at their end means nothing, with both kinds."""
    if exact:
        return path == pattern
    return f"{path}/".startswith(f"{pattern.rstrip('/')}/")


def test_backends_are_ports_of_services() -> None:
    for overlay in OVERLAYS:
        objects = rendered(overlay)
        for name, port in _backends(objects):
            ports = objects.one("Service", name)["spec"]["ports"]
            assert port in [entry["name"] for entry in ports] + [entry["port"] for entry in ports]


def _backends(objects: Objects) -> list[tuple[str, Any]]:
    of_ingress = [
        (entry["backend"]["service"]["name"], entry["backend"]["service"]["port"]["name"])
        for ingress in objects.of("Ingress")
        for entry in ingress["spec"]["rules"][0]["http"]["paths"]
    ]
    of_route = [
        (backend["name"], backend["port"])
        for route in objects.of("HTTPRoute")
        for rule in route["spec"]["rules"]
        for backend in rule["backendRefs"]
    ]
    assert of_ingress or of_route
    return of_ingress + of_route


def test_a_web_socket_may_last_through_the_route() -> None:
    (route,) = rendered("prod").of("HTTPRoute")
    limits = {rule["name"]: rule.get("timeouts") for rule in route["spec"]["rules"]}
    assert limits == {
        "websockets": {"request": "0s"},
        "sockjs": {"request": "0s"},
        "rooms-api": None,
    }


def _annotations(item: Manifest) -> dict[str, str]:
    found: dict[str, str] = item["metadata"].get("annotations", {})
    return found


def test_the_plain_ingress_says_nothing_to_one_controller() -> None:
    for ingress in rendered("dev").of("Ingress"):
        assert _annotations(ingress) == {}
        assert "ingressClassName" not in ingress["spec"]


def test_nginx_waits_longer_than_a_heart_beat_and_keeps_sockjs_sessions() -> None:
    objects = with_components("ingress-nginx")
    prefix = "nginx.ingress.kubernetes.io/"
    for ingress in objects.of("Ingress"):
        assert int(_annotations(ingress)[f"{prefix}proxy-read-timeout"]) >= 60
        assert int(_annotations(ingress)[f"{prefix}proxy-send-timeout"]) >= 60
    assert f"{prefix}affinity" not in _annotations(objects.one("Ingress", "allibe"))
    sticky = _annotations(objects.one("Ingress", "allibe-sockjs"))
    assert sticky[f"{prefix}affinity"] == "cookie"
    assert sticky[f"{prefix}session-cookie-path"] == "/allibe-ws/"


@pytest.mark.parametrize(
    ("component", "annotation"),
    [
        ("ingress-haproxy", "haproxy.org/cookie-persistence"),
        ("ingress-traefik", "traefik.ingress.kubernetes.io/service.sticky.cookie"),
    ],
)
def test_other_controllers_keep_sockjs_sessions_and_nothing_else(
    component: str, annotation: str
) -> None:
    services = with_components(component).of("Service")
    sticky = [item["metadata"]["name"] for item in services if annotation in _annotations(item)]
    assert sticky == ["allibe-gateway-sockjs"]
