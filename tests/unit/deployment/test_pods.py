"""Our policy for pods, and that they run what the code is: commands, settings, ports, probes."""

import re
from collections.abc import Iterator

import pytest

from allibe_gateway.draining import window
from allibe_services import __version__, settings
from allibe_services.backends import check_for_separate_processes
from allibe_services.runtime import CHECK_SECONDS
from allibe_services.settings import reading
from allibe_standalone import processes
from allibe_standalone.cli import cli
from tests.unit.deployment.dockerfile import ROOT, stages
from tests.unit.deployment.rendered import (
    OVERLAYS,
    Manifest,
    Objects,
    container,
    pod,
    pod_labels,
    rendered,
    settings_of,
)


def _cases(found: list[tuple[str, Manifest]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("overlay", "workload"),
        [pytest.param(*case, id=f"{case[0]}-{case[1]['metadata']['name']}") for case in found],
    )


WORKLOADS = [(overlay, item) for overlay in OVERLAYS for item in rendered(overlay).workloads()]
OURS = [(overlay, item) for overlay in OVERLAYS for item in rendered(overlay).ours()]
SERVERS = [(overlay, item) for overlay, item in OURS if item["kind"] == "Deployment"]

SECONDS_OF_A_WORKER = 11
"""From SIGTERM to its end: docs/decisions/0009."""

SECRET_TEXTS = {
    "bus": "amqp://u:p@rabbitmq:5672/",
    "database": "postgresql://u:p@postgresql:5432/allibe",
    "redis": "redis://:p@redis:6379/0",
    "tokens": "t" * 32,
    "push": "k",
}


def test_all_processes_are_there() -> None:
    for overlay in OVERLAYS:
        commands = [container(item)["args"] for item in rendered(overlay).ours()]
        assert sorted(commands) == [["fanout-worker"], ["gateway"], ["migrate"], ["rooms-api"]]
    assert {"fanout-worker", "gateway", "migrate", "rooms-api"} <= cli.commands.keys()


@_cases(WORKLOADS)
def test_a_pod_is_restricted(overlay: str, workload: Manifest) -> None:
    """Kubernetes' standard of that name, and a file system that nobody writes to."""
    of_pod, of_container = pod(workload)["securityContext"], container(workload)["securityContext"]
    assert of_pod["runAsNonRoot"] is True
    assert of_pod["runAsUser"] > 0
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert of_container["allowPrivilegeEscalation"] is False
    assert of_container["capabilities"] == {"drop": ["ALL"]}
    assert of_container["readOnlyRootFilesystem"] is True
    assert pod(workload)["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod(workload).keys()
    assert all("secret" in volume for volume in pod(workload).get("volumes", ()))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_rabbitmqs_pods_are_restricted_whatever_its_operator_is(overlay: str) -> None:
    """Older ones say only which user: the namespace would let none of these pods in."""
    spec = rendered(overlay).one("RabbitmqCluster", "allibe-rabbitmq")["spec"]
    override = spec["override"]["statefulSet"]["spec"]["template"]["spec"]
    assert override["securityContext"]["runAsNonRoot"] is True
    assert override["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    containers = [*override["initContainers"], *override["containers"]]
    assert [one["name"] for one in containers] == ["setup-container", "rabbitmq"]
    for one in containers:
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@_cases(WORKLOADS)
def test_a_pod_says_what_it_needs_and_takes_no_more_memory(
    overlay: str, workload: Manifest
) -> None:
    """Who may take more than was set aside is ended when the node is short of it."""
    resources = container(workload)["resources"]
    assert resources["requests"].keys() == resources["limits"].keys() == {"cpu", "memory"}
    assert resources["requests"]["memory"] == resources["limits"]["memory"]


@_cases(WORKLOADS)
def test_services_put_nothing_into_the_environment(overlay: str, workload: Manifest) -> None:
    """ALLIBE_GATEWAY_SERVICE_HOST, as Kubernetes makes it, is no setting and ends the process."""
    assert pod(workload)["enableServiceLinks"] is False


@_cases(OURS)
def test_our_image_is_one_and_runs_as_the_user_that_it_is_made_for(
    overlay: str, workload: Manifest
) -> None:
    user, group = stages()[-1].one("USER").split(":")
    context = pod(workload)["securityContext"]
    assert [context["runAsUser"], context["runAsGroup"]] == [int(user), int(group)]
    assert context["fsGroup"] == int(group)
    assert "command" not in container(workload)
    expected = {"dev": "allibe:dev", "prod": f"registry.example.com/allibe:{__version__}"}
    assert container(workload)["image"] == expected[overlay]


@_cases(OURS)
def test_settings_are_those_of_the_code(
    overlay: str, workload: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the process loads them: an unknown one, or a wrong value, would end it."""
    loaded = _loaded(rendered(overlay), workload, monkeypatch)
    assert loaded.database_url == SECRET_TEXTS["database"]
    if workload["kind"] == "Job":
        return
    assert loaded.bus_url == SECRET_TEXTS["bus"]
    assert loaded.redis_url == SECRET_TEXTS["redis"]
    assert loaded.jwt_secret == SECRET_TEXTS["tokens"]
    check_for_separate_processes(loaded)
    ports = {port["name"]: port["containerPort"] for port in container(workload)["ports"]}
    assert ports["ops"] == loaded.ops_port
    assert ports.get("http", loaded.port) == loaded.port
    assert (loaded.host, loaded.ops_host) == ("0.0.0.0", "0.0.0.0")


def _loaded(
    objects: Objects, workload: Manifest, monkeypatch: pytest.MonkeyPatch
) -> settings.Settings:
    """Load what the workload gets; its secrets are read where they are mounted."""
    mounts = {mount["name"]: mount["mountPath"] for mount in container(workload)["volumeMounts"]}
    files = {
        f"{mounts[volume['name']]}/{item['path']}": SECRET_TEXTS[volume["name"]]
        for volume in pod(workload)["volumes"]
        for item in volume["secret"]["items"]
    }
    monkeypatch.setattr(reading, "_read_secret", lambda path, _: files.pop(path))
    loaded = settings.load(settings_of(objects, workload))
    assert files == {}, "mounted, and not read"
    return loaded


@_cases(OURS)
def test_no_secret_stands_in_a_manifest(overlay: str, workload: Manifest) -> None:
    given = settings_of(rendered(overlay), workload)
    names = {f"{settings.PREFIX}{name.upper()}" for name in settings.FROM_FILES}
    assert not names & given.keys()
    assert rendered(overlay).of("Secret") == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_that_somebody_has_to_make_are_in_the_docs(overlay: str) -> None:
    """Those of the operators are theirs."""
    page = (ROOT / "docs" / "kubernetes.md").read_text().replace("\\\n", " ")
    told = {
        (command[1], key)
        for command in re.finditer(r"create secret generic (\S+) (.*)", page)
        for key in re.findall(r"--from-(?:literal|file)=([\w-]+)=", command[2])
    }
    made = told | {
        ("allibe-rabbitmq-default-user", "connection_string"),
        ("allibe-postgresql-app", "uri"),
    }
    assert set(_secrets(rendered(overlay))) <= made


def _secrets(objects: Objects) -> Iterator[tuple[str, str]]:
    """Return each name and key that a pod reads."""
    for item in objects.workloads():
        for volume in pod(item).get("volumes", ()):
            yield from (
                (volume["secret"]["secretName"], one["key"]) for one in volume["secret"]["items"]
            )
        for variable in container(item).get("env", ()):
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                yield reference["name"], reference["key"]


@_cases(SERVERS)
def test_liveness_asks_nobody_and_readiness_has_the_time_that_it_takes(
    overlay: str, workload: Manifest
) -> None:
    """A database that is away is no reason to restart what has everybody's connections."""
    alive, ready, started = (
        container(workload)[f"{name}Probe"] for name in ("liveness", "readiness", "startup")
    )
    assert alive["httpGet"] == started["httpGet"] == {"path": "/livez", "port": "ops"}
    assert ready["httpGet"] == {"path": "/readyz", "port": "ops"}
    assert ready["timeoutSeconds"] > CHECK_SECONDS
    assert started["periodSeconds"] * started["failureThreshold"] >= 40  # it gives up after 20 s
    assert alive["periodSeconds"] * alive["failureThreshold"] >= 60  # a machine that swaps


@_cases(SERVERS)
def test_the_grace_is_longer_than_the_drain(
    overlay: str, workload: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _loaded(rendered(overlay), workload, monkeypatch)
    kind = pod_labels(workload)["app.kubernetes.io/component"]
    waiting = container(workload).get("lifecycle", {}).get("preStop", {})
    lead = waiting.get("sleep", {}).get("seconds", 0)
    seconds: dict[str, float] = {
        "gateway": loaded.drain_seconds + 5,
        "rooms-api": processes.REQUEST_SECONDS + 5,
        "fanout-worker": SECONDS_OF_A_WORKER + 5,
    }
    assert pod(workload)["terminationGracePeriodSeconds"] >= lead + seconds[kind]
    # Who is connected to learns of the end in time; a worker is connected to by nobody.
    assert (lead >= 5) == (kind != "fanout-worker")


def test_a_migration_has_the_time_to_move_a_large_history() -> None:
    """13 s for a million messages: decisions/0026. Cut off, it would begin again from nothing."""
    job = rendered("prod").one("Job", "allibe-migrate")["spec"]
    millions = 1500  # two days of a million users: docs/operations.md
    assert job["activeDeadlineSeconds"] >= 13 * millions


def test_a_full_gateway_leaves_at_the_rate_that_the_others_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many as autoscaling lets it have, and half as many again: no faster than the setting."""
    objects = rendered("prod")
    gateway = objects.one("Deployment", "allibe-gateway")
    loaded = _loaded(objects, gateway, monkeypatch)
    (trigger,) = objects.one("ScaledObject", "allibe-gateway")["spec"]["triggers"]
    most = int(trigger["metadata"]["threshold"]) * 3 // 2
    seconds = loaded.drain_seconds - processes.REQUEST_SECONDS
    limits = processes._limits(loaded)
    assert window(most, seconds, limits) == most / loaded.drain_rate


def test_a_full_gateway_has_the_memory_that_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/kubernetes.md, "Memory of a gateway"; the figures are those of decisions 0005, 0016."""
    objects = rendered("prod")
    gateway = objects.one("Deployment", "allibe-gateway")
    loaded = _loaded(objects, gateway, monkeypatch)
    (trigger,) = objects.one("ScaledObject", "allibe-gateway")["spec"]["triggers"]
    connections = int(trigger["metadata"]["threshold"]) * 3 // 2
    taken = (128 << 20) + connections * (7 << 10) + loaded.slow_consumers_bytes * 16 // 10
    taken += 4000 * loaded.tail_bytes
    assert container(gateway)["resources"]["limits"]["memory"] == "1536Mi"
    assert taken <= 1536 << 20


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_servers_are_spread_and_leave_one_by_one(overlay: str) -> None:
    objects = rendered(overlay)
    for _, item in (case for case in SERVERS if case[0] == overlay):
        labels = pod_labels(item)
        spread = pod(item)["topologySpreadConstraints"]
        assert [constraint["topologyKey"] for constraint in spread] == [
            "topology.kubernetes.io/zone",
            "kubernetes.io/hostname",
        ]
        for constraint in spread:
            assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()
            assert "app.kubernetes.io/component" in constraint["matchLabelKeys"]
        name = item["metadata"]["name"]
        budget = objects.one("PodDisruptionBudget", name)["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"]["matchLabels"].items() <= labels.items()
        rollout = item["spec"]["strategy"]["rollingUpdate"]
        assert rollout == {"maxUnavailable": 0, "maxSurge": 1}
