"""The rules of deploy/prometheus/rules as the Prometheus Operator takes them, for k8s/."""

from pathlib import Path

import yaml

RULES = Path(__file__).resolve().parents[1] / "deploy" / "prometheus" / "rules"

_HEAD = "# From deploy/prometheus/rules by `make docs`: change them there.\n"


def render(rules: Path = RULES) -> str:
    """Return the manifest: the groups of all files, in the order of their names."""
    files = sorted(rules.glob("*.yml"))
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "allibe", "labels": {"app.kubernetes.io/part-of": "allibe"}},
        "spec": {
            "groups": [
                group for path in files for group in yaml.safe_load(path.read_text())["groups"]
            ]
        },
    }
    return _HEAD + yaml.safe_dump(manifest, sort_keys=False, width=100, allow_unicode=True)
