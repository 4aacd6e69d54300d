"""`deploy/compose.yaml`: true to its schema, to the image, the settings and the folders here."""

import re
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from allibe_services import settings
from allibe_standalone.cli import cli
from tests.unit.deployment.dockerfile import ROOT, stages

COMPOSE = ROOT / "deploy" / "compose.yaml"
GIVEN = {
    "ALLIBE_JWT_SECRET": "s" * 32,
    "GRAFANA_PASSWORD": "g",
    "POSTGRES_PASSWORD": "p",
    "RABBITMQ_PASSWORD": "r",
    "REDIS_PASSWORD": "q",
}
"""What `deploy/.env` must hold."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def composed(environment: dict[str, str]) -> dict[str, Any]:
    """Return the file as Compose reads it with these variables. KeyError names one that lacks."""

    def value(match: re.Match[str]) -> str:
        name, rule, text = match.groups()
        if name in environment:
            return environment[name]
        if rule != "-":
            raise KeyError(name)
        return str(text)

    loaded: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(value, COMPOSE.read_text()))
    return loaded


@pytest.fixture(name="services")
def the_services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = composed(GIVEN)["services"]
    return services


def ours(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services.items() if service["image"] == "allibe"}


def test_the_schema_of_compose_takes_it() -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    command = [str(check), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_is_there(services: dict[str, dict[str, Any]]) -> None:
    commands = [service["command"] for service in ours(services).values()]
    assert sorted(commands) == [
        ["fanout-worker"],
        ["gateway"],
        ["gateway"],
        ["migrate"],
        ["rooms-api"],
    ]
    assert services["fanout-worker"]["deploy"]["replicas"] == 2
    others = services.keys() - ours(services).keys()
    assert others == {"haproxy", "rabbitmq", "postgresql", "redis", "prometheus", "grafana"}


@pytest.mark.parametrize("name", GIVEN)
def test_no_secret_has_a_default(name: str) -> None:
    """Else a machine on the internet would run with ours."""
    with pytest.raises(KeyError, match=name):
        composed({other: value for other, value in GIVEN.items() if other != name})


def test_the_readme_names_the_secrets() -> None:
    assert all(name in (ROOT / "deploy" / "README.md").read_text() for name in GIVEN)


def test_our_commands_exist(services: dict[str, dict[str, Any]]) -> None:
    for service in ours(services).values():
        assert service["command"][0] in cli.commands


def test_our_settings_exist_and_reach_the_servers(services: dict[str, dict[str, Any]]) -> None:
    image = stages()[-1].environment()
    for service in ours(services).values():
        environment = {**image, **service["environment"]}
        loaded = settings.load({key: str(value) for key, value in environment.items()})
        assert loaded.bus_url == "amqp://allibe:r@rabbitmq:5672/%2F"
        assert loaded.database_url == "postgresql://allibe:p@postgresql:5432/allibe"
        assert loaded.redis_url == "redis://:q@redis:6379/0"
        assert loaded.jwt_secret == GIVEN["ALLIBE_JWT_SECRET"]
        assert loaded.jwt_former_secret is None
        assert loaded.trusted_proxies == f"{address(services['haproxy'])}/32"
        grace = int(service["stop_grace_period"].removesuffix("s"))
        assert grace >= loaded.drain_seconds + 5
    assert services["rabbitmq"]["environment"]["RABBITMQ_DEFAULT_PASS"] == "r"
    assert services["postgresql"]["environment"]["POSTGRES_PASSWORD"] == "p"
    assert services["redis"]["command"][-2:] == ["--requirepass", "q"]


def test_the_load_balancer_stays_until_clients_have_been_sent_away(
    services: dict[str, dict[str, Any]],
) -> None:
    """All are stopped at once; Docker's 10 s would break the connections that still drain."""
    grace = int(services["haproxy"].get("stop_grace_period", "10s").removesuffix("s"))
    assert grace >= int(services["gateway-1"]["stop_grace_period"].removesuffix("s"))


def test_the_keys_of_pushes_reach_who_uses_them() -> None:
    keys = {"ALLIBE_VAPID_PRIVATE_KEY": "k", "ALLIBE_VAPID_SUBJECT": "mailto:a@b.example"}
    services = composed(GIVEN | keys)["services"]
    knowing = {name for name in services if keys.items() <= _environment(services[name]).items()}
    assert knowing == {"rooms-api", "fanout-worker"}


def test_the_former_secret_of_tokens_reaches_who_looks_at_them() -> None:
    """While it is changed: docs/operations.md."""
    services = composed(GIVEN | {"ALLIBE_JWT_FORMER_SECRET": "f" * 32})["services"]
    variable = "ALLIBE_JWT_FORMER_SECRET"
    knowing = {name for name in services if _environment(services[name]).get(variable)}
    assert {"gateway-1", "gateway-2", "rooms-api"} <= knowing


def _environment(service: dict[str, Any]) -> dict[str, str]:
    environment: dict[str, str] = service.get("environment", {})
    return environment


def address(service: dict[str, Any]) -> str:
    return str(service["networks"]["default"]["ipv4_address"])


def test_the_load_balancer_is_told_all_that_it_asks_for(
    services: dict[str, dict[str, Any]],
) -> None:
    haproxy = services["haproxy"]
    asked = set(
        re.findall(r"\$\{?(\w+)\}?", _without_comments(ROOT / "deploy/haproxy/haproxy.cfg"))
    )
    assert haproxy["environment"].keys() == asked
    image = settings.load({**stages()[-1].environment()})
    for variable, name in (
        ("GATEWAY_1", "gateway-1"),
        ("GATEWAY_2", "gateway-2"),
        ("ROOMS_API", "rooms-api"),
    ):
        assert haproxy["environment"][variable] == f"{address(services[name])}:{image.port}"
        assert haproxy["environment"][f"{variable}_OPS"] == str(image.ops_port)


def _without_comments(path: Path) -> str:
    return re.sub(r"#.*", "", path.read_text())


def test_chosen_addresses_are_nobody_elses(services: dict[str, dict[str, Any]]) -> None:
    """Docker gives the others addresses of a range, which these are not in."""
    (network,) = composed(GIVEN)["networks"]["default"]["ipam"]["config"]
    chosen = [ip_address(address(one)) for one in services.values() if "networks" in one]
    assert len(set(chosen)) == len(chosen) == 4
    for one in chosen:
        assert one in ip_network(network["subnet"])
        assert one not in ip_network(network["ip_range"])


def test_every_mounted_path_is_there(services: dict[str, dict[str, Any]]) -> None:
    volumes = composed(GIVEN)["volumes"].keys()
    mounts = [mount.split(":")[0] for s in services.values() for mount in s.get("volumes", ())]
    assert len(mounts) == 8
    for source in mounts:
        assert source in volumes or (COMPOSE.parent / source).exists(), source


def test_our_containers_may_do_as_little_as_possible(services: dict[str, dict[str, Any]]) -> None:
    for service in ours(services).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "ports" not in service


def test_only_the_load_balancer_is_open_to_the_network(services: dict[str, dict[str, Any]]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports.pop("haproxy") == ["8080:8080"]
    assert all(port.startswith("127.0.0.1:") for (port,) in ports.values())
    assert ports.keys() == {"prometheus", "grafana"}


def test_nothing_of_ours_starts_before_the_tables_are_there(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, service in ours(services).items():
        if name == "migrate":
            assert service["depends_on"] == {"postgresql": {"condition": "service_healthy"}}
        else:
            assert service["depends_on"]["migrate"] == {
                "condition": "service_completed_successfully"
            }


def test_prometheus_asks_what_is_there(services: dict[str, dict[str, Any]]) -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    asked = {
        target
        for job in jobs
        for entry in job.get("static_configs", ())
        for target in entry["targets"]
    } | {
        f"{name}:{entry['port']}"
        for job in jobs
        for entry in job.get("dns_sd_configs", ())
        for name in entry["names"]
    }
    port = settings.load(stages()[-1].environment()).ops_port
    wanted = {f"{name}:{port}" for name in ours(services) if name != "migrate"}
    assert asked == wanted | {"rabbitmq:15692"}


def test_images_of_others_are_pinned_to_a_version(services: dict[str, dict[str, Any]]) -> None:
    """Those that the code is made for: RabbitMQ 4, the HAProxy that the configuration names."""
    images = {service["image"] for service in services.values()} - {"allibe"}
    for image in images:
        assert re.fullmatch(r"[a-z/]+:v?\d+(\.\d+)*(-[a-z]+)?", image), image
    assert services["rabbitmq"]["image"].startswith("rabbitmq:4")
    wanted = re.search(
        r"For HAProxy ([\d.]+)\.\n", (ROOT / "deploy/haproxy/haproxy.cfg").read_text()
    )
    assert wanted is not None
    assert services["haproxy"]["image"] == f"haproxy:{wanted[1]}"
