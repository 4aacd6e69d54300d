"""docs/alerts.md: every alert, when it fires, and what to do."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).resolve().parents[1] / "deploy" / "prometheus" / "rules"

_HEAD = """\
# Alerts

`make docs` makes this page from `deploy/prometheus/rules/`; the tests let each alert fire on its
fault, and on that alone (`tests/unit/monitoring`). **page**: people lose something now. **ticket**:
somebody has to look soon. Prometheus needs a label `job` that is `gateway`, `fanout-worker` or
`rooms-api`, as `deploy/prometheus/prometheus.yml` sets it, or ends in one of these and has `allibe`
before it (`allibe-gateway`, `chat/allibe-gateway`), or is `allibe` for `allibe serve`; and one
deployment of Allibe only, as rules add up what there is. They tell nobody by themselves: that is
your Alertmanager's. How to restore, restart and resize is in [operations](operations.md).

The objectives, over 30 days: 99 % of messages are with their subscribers within 250 ms; 99.9 % of
messages get their receipt; 99.9 % of clients that come back get what they missed.
"""


def render() -> str:
    """Return docs/alerts.md."""
    return _HEAD + "".join(_section(rule) for rule in alerts())


def alerts() -> Iterator[dict[str, Any]]:
    """Return all alerting rules."""
    for path in sorted(RULES.glob("*.yml"), reverse=True):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


def _section(rule: dict[str, Any]) -> str:
    annotations, after = rule["annotations"], f", for {rule['for']}" if "for" in rule else ""
    condition = " ".join(rule["expr"].split())
    what_to_do = re.sub(r"docs/([a-z-]+\.md)", r"[\1](\1)", annotations["description"])
    return (
        f"\n## {rule['alert']}\n\n**{rule['labels']['severity']}**{after}:"
        f"\n\n```promql\n{condition}\n```\n\n{what_to_do}\n"
    )
