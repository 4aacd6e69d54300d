"""What scales with load: within what the code and the servers can take, and slowly down."""

import re

from prometheus_client import CollectorRegistry, generate_latest

from allibe_services.bus.rabbitmq.topology import queue_of
from allibe_services.settings import Settings
from allibe_services.telemetry import GatewayMetrics
from tests.unit.deployment.rendered import Manifest, pod_labels, rendered


def scaled(name: str) -> Manifest:
    found: Manifest = rendered("prod").one("ScaledObject", name)["spec"]
    return found


def test_gateways_and_workers_scale_and_nothing_else_says_how_many() -> None:
    """A number in the Deployment would come back with each `kubectl apply`."""
    objects = rendered("prod")
    targets = [item["spec"]["scaleTargetRef"]["name"] for item in objects.of("ScaledObject")]
    assert sorted(targets) == ["allibe-fanout-worker", "allibe-gateway"]
    for target in targets:
        assert "replicas" not in objects.one("Deployment", target)["spec"]


def test_they_go_slowly() -> None:
    """Each gateway that goes sends its clients away; each worker that goes moves shards."""
    for item in rendered("prod").of("ScaledObject"):
        behavior = item["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        down = behavior["scaleDown"]
        assert down["stabilizationWindowSeconds"] >= 1800
        assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]
        grace = _grace(item["spec"]["scaleTargetRef"]["name"])
        assert down["policies"][0]["periodSeconds"] > grace
        assert item["spec"]["minReplicaCount"] >= 2


def _grace(name: str) -> int:
    workload = rendered("prod").one("Deployment", name)
    return int(workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"])


def test_gateways_follow_a_metric_that_there_is() -> None:
    (trigger,) = scaled("allibe-gateway")["triggers"]
    query = trigger["metadata"]["query"]
    found = re.fullmatch(r'sum\((\w+)\{namespace="([\w-]+)", job="([\w-]+)"\}\)', query)
    assert found is not None
    metric, namespace, job = found.groups()
    registry = CollectorRegistry()
    GatewayMetrics(registry)
    assert f"# TYPE {metric} gauge" in generate_latest(registry).decode()
    gateway = rendered("prod").one("Deployment", "allibe-gateway")
    assert namespace == gateway["metadata"]["namespace"]
    monitor = rendered("prod").one("ServiceMonitor", "allibe")["spec"]
    service = rendered("prod").one("Service", "allibe-gateway")
    assert service["metadata"]["labels"][monitor["jobLabel"]] == job
    assert trigger["metadata"]["ignoreNullValues"] == "false"


def test_workers_follow_the_queues_of_their_shards_and_no_others() -> None:
    (trigger,) = scaled("allibe-fanout-worker")["triggers"]
    pattern = re.compile(trigger["metadata"]["queueName"])
    assert all(pattern.search(queue_of(shard)) for shard in range(Settings().shards))
    assert not any(map(pattern.search, ("chat.dead", "chat.events.1", f"{queue_of(1)}.dead")))


def test_there_are_no_more_workers_than_shards() -> None:
    assert scaled("allibe-fanout-worker")["maxReplicaCount"] <= Settings().shards


def test_the_operators_user_is_whom_keda_signs_in_as() -> None:
    objects = rendered("prod")
    (trigger,) = scaled("allibe-fanout-worker")["triggers"]
    reference = objects.one("TriggerAuthentication", trigger["authenticationRef"]["name"])
    cluster = objects.one("RabbitmqCluster", "allibe-rabbitmq")["metadata"]["name"]
    parts = reference["spec"]["secretTargetRef"]
    assert {part["name"] for part in parts} == {f"{cluster}-default-user"}
    assert {part["parameter"] for part in parts} == {"username", "password"}


def test_keda_finds_the_queues_from_a_namespace_of_its_own() -> None:
    """There the Service's name alone means another one, which does not exist."""
    (trigger,) = scaled("allibe-fanout-worker")["triggers"]
    cluster = rendered("prod").one("RabbitmqCluster", "allibe-rabbitmq")["metadata"]
    host = f"http://{cluster['name']}.{cluster['namespace']}.svc:15672/"
    assert trigger["metadata"]["host"] == host


def test_the_database_has_connections_for_all_of_them() -> None:
    objects = rendered("prod")
    most = {
        item["spec"]["scaleTargetRef"]["name"]: item["spec"]["maxReplicaCount"]
        for item in objects.of("ScaledObject")
    }
    processes = sum(
        most.get(item["metadata"]["name"], item["spec"].get("replicas", 0))
        + 1  # one more in a rollout
        for item in objects.ours()
        if "app.kubernetes.io/component" in pod_labels(item)
    )
    database = objects.one("Cluster", "allibe-postgresql")["spec"]
    allowed = int(database["postgresql"]["parameters"]["max_connections"])
    assert processes * Settings().database_connections + 20 <= allowed


def test_what_is_committed_is_on_two_instances() -> None:
    """Else a receipted message could be gone with the first one: docs/architecture.md."""
    spec = rendered("prod").one("Cluster", "allibe-postgresql")["spec"]
    assert spec["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
    }
    assert spec["instances"] >= 3  # one may be away
