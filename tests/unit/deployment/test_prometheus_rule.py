"""Prometheus' rules stand once; tests/unit/docs sees that k8s/ has all of them."""

from pathlib import Path

import yaml

from scripts import prometheus_rule


def test_the_groups_of_all_files_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    for name, group in (("b.yml", "second"), ("a.yml", "first")):
        rule = {"alert": "A", "expr": "up == 0", "annotations": {"summary": "{{ $value }} 개"}}
        groups = {"groups": [{"name": group, "rules": [rule]}]}
        (tmp_path / name).write_text(yaml.safe_dump(groups))
    written = prometheus_rule.render(tmp_path)
    assert written.startswith("# From deploy/prometheus/rules")
    manifest = yaml.safe_load(written)
    assert [group["name"] for group in manifest["spec"]["groups"]] == ["first", "second"]
    assert manifest["spec"]["groups"][0]["rules"] == [rule]
