"""What the pages tell an operator to apply, or to allow, in Kubernetes."""

import re
from typing import Any

import kubernetes_validate
import yaml

from allibe_services import settings
from allibe_standalone.cli import cli
from tests.unit.deployment.dockerfile import ROOT
from tests.unit.deployment.rendered import Manifest, container, pod, pod_labels, rendered
from tests.unit.deployment.test_manifests import KUBERNETES, OLDEST

DOCS = ROOT / "docs"

OF_ITS_OWN = ("args", "image", "resources", "envFrom")
"""What a container of the same pod may have another one of. Settings have a hash in their name."""


def the_pruning() -> Manifest:
    (text,) = re.findall(r"```yaml\n(.*?kind: CronJob.*?)```", _page("retention"), re.DOTALL)
    found: Manifest = yaml.safe_load(text)
    return found


def test_pruning_runs_as_the_migration_does() -> None:
    """Its user, its secret, its rights, and labels by which it reaches the same database."""
    job: Manifest = the_pruning()["spec"]["jobTemplate"]
    migration = rendered("prod").one("Job", "allibe-migrate")
    assert _pod_but_for_what_it_runs(job) == _pod_but_for_what_it_runs(migration)
    of_policies = {"app.kubernetes.io/name", "app.kubernetes.io/component"}
    assert pod_labels(job) == {name: pod_labels(migration)[name] for name in of_policies}
    resources = container(job)["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert container(job)["args"][0] in cli.commands


def _pod_but_for_what_it_runs(workload: Manifest) -> dict[str, Any]:
    of_pod = {name: value for name, value in pod(workload).items() if name != "containers"}
    of_container = {
        name: value for name, value in container(workload).items() if name not in OF_ITS_OWN
    }
    return of_pod | {"container": of_container}


def test_commands_are_those_of_the_code_in_pods_that_can_run_them() -> None:
    """`migrate` and `new-epoch` take the database, `dead-letters` RabbitMQ as well."""
    told = re.findall(r"exec deployment/(\S+) -- allibe (\S+)", _page("kubernetes"))
    assert {command for _, command in told} >= {"dead-letters", "new-epoch", "migrate"}
    for name, command in told:
        workload = rendered("prod").one("Deployment", name)
        assert command in cli.commands
        variables = {one["name"] for one in container(workload)["env"]}
        assert {"ALLIBE_DATABASE_URL_FILE", "ALLIBE_BUS_URL_FILE"} <= variables


def test_kubernetes_knows_every_field_of_it() -> None:
    for version in (OLDEST, KUBERNETES):
        kubernetes_validate.validate(the_pruning(), version, strict=True)


def test_who_needs_a_network_policy_of_the_operators_is_named() -> None:
    """Every server outside that a setting leads a process to: default-deny stands in its way."""
    egress = re.search(r"- \*\*Egress\.\*\*(.*?)\n- \*\*", _page("kubernetes"), re.DOTALL)
    assert egress is not None
    ours = {"ALLIBE_DATABASE_URL", "ALLIBE_BUS_URL", "ALLIBE_REDIS_URL"}
    of_browsers = {"ALLIBE_SOCKJS_CLIENT_URL"}
    urls = {name for name, _, _ in settings.table() if name.endswith("_URL")}
    assert set(re.findall(r"ALLIBE_\w+_URL", egress[1])) == urls - ours - of_browsers


def _page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()
