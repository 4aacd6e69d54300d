"""Drift: what is kept in docs/ is what the code says. Else: `make docs`."""

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from allibe_gateway import asyncapi
from allibe_gateway.doors.base import disconnect_for
from allibe_services import settings
from allibe_services.contracts import disconnects, errors
from allibe_services.rates.policy import LIMITS
from scripts import (
    alerts_page,
    dashboards,
    docs,
    licences,
    limits,
    metrics_page,
    prometheus_rule,
    protocol_tables,
    settings_page,
    typescript,
)

GENERATED = docs.rendered()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_kept_page_is_up_to_date(path: Path) -> None:
    """Else: `python -m scripts.docs`."""
    assert path.read_text() == GENERATED[path]


def test_the_kept_asyncapi_document_is_up_to_date() -> None:
    """Else: `python -m allibe_gateway.asyncapi > docs/asyncapi.json`."""
    assert (docs.DOCS / "asyncapi.json").read_text() == asyncapi.render()


def test_running_the_module_writes_the_document() -> None:
    command = [sys.executable, "-W", "error", "-m", "allibe_gateway.asyncapi"]
    written = subprocess.run(command, check=True, capture_output=True, timeout=30)
    assert written.stdout.decode() == asyncapi.render()


def test_running_the_script_writes_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs, "DOCS", tmp_path)
    monkeypatch.setattr(docs, "CLIENT", tmp_path)
    monkeypatch.setattr(docs, "GRAFANA", tmp_path)
    monkeypatch.setattr(docs, "MONITORING", tmp_path)
    (tmp_path / "protocol.md").write_text("<!-- generated: limits -->\nold\n<!-- end -->\n")
    (tmp_path / "limits.md").write_text("<!-- generated: rates -->\n<!-- end -->\n")
    docs.main()
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {
        "settings.md": settings_page.render(),
        "metrics.md": metrics_page.render(),
        "protocol.md": f"<!-- generated: limits -->\n{protocol_tables.limits()}<!-- end -->\n",
        "limits.md": f"<!-- generated: rates -->\n{limits.rates()}<!-- end -->\n",
        "alerts.md": alerts_page.render(),
        "licences.md": licences.render(),
        "disconnects.ts": typescript.disconnects(),
        "prometheus-rule.yaml": prometheus_rule.render(),
        **dashboards.rendered(),
    }


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = "a\n<!-- generated: limits -->\nold\n<!-- end -->\nb\n"
    found = docs.with_tables(page)
    assert found == f"a\n<!-- generated: limits -->\n{protocol_tables.limits()}<!-- end -->\nb\n"
    assert docs.with_tables(found) == found


def test_a_mark_that_names_no_table_is_an_error() -> None:
    with pytest.raises(KeyError):
        docs.with_tables("<!-- generated: nonsense -->\n<!-- end -->\n")


def test_every_table_stands_on_one_page() -> None:
    page = "".join((docs.DOCS / name).read_text() for name in ("protocol.md", "limits.md"))
    for name in docs._TABLES:
        assert page.count(f"<!-- generated: {name} -->\n| ") == 1


def test_every_limit_that_metrics_know_has_a_line() -> None:
    lines = limits.rates().splitlines()[2:]
    assert [line.split("`")[1] for line in lines] == list(LIMITS)


def test_every_setting_has_a_line() -> None:
    page = settings_page.render()
    for variable, default, _ in settings.table():
        assert f"| `{variable}` | " in page
        assert default in page
    for secret in settings.FROM_FILES:
        assert f"| `ALLIBE_{secret.upper()}_FILE` | `ALLIBE_{secret.upper()}` |" in page


def test_every_disconnect_has_a_line_with_what_to_do() -> None:
    lines = protocol_tables.close_codes().splitlines()[2:]
    assert len(lines) == len(disconnects.TABLE) == len(protocol_tables.WHEN)
    for line, one in zip(lines, disconnects.TABLE, strict=True):
        assert line.startswith(f"| {one.code} | {one.reason} | ")
        assert ("econnect at" in line or "econnect after" in line) is one.reconnect
        assert ("new token" in line) is one.new_token


def test_every_error_has_a_line() -> None:
    """With the close code of the STOMP door. Classes without a code are never met."""
    lines = protocol_tables.error_codes()
    kinds: list[type[errors.AllibeError]] = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and "code" in vars(kind)
    ]
    assert lines.count("\n") == len(kinds) + 2
    for kind in kinds:
        close = disconnect_for(kind()).code
        retryable = "yes" if kind.retryable else "no"
        assert f"| `{kind.code}` | {kind.status} | {retryable} | {close} | " in lines


def test_every_metric_has_a_line_under_the_name_that_prometheus_sees() -> None:
    registry = CollectorRegistry()
    for _, make in metrics_page.SERVICES:
        make(registry)
    lines = generate_latest(registry).decode().splitlines()
    shown = [line.split()[2:] for line in lines if line.startswith("# TYPE ")]
    names = {name: kind for name, kind in shown if not name.endswith("_created")}
    page = metrics_page.render()
    assert page.count("\n| `") == len(names)
    for name, kind in names.items():
        assert f"| `{name}` | {kind} | " in page


def test_a_metric_has_its_labels() -> None:
    assert (
        "| `allibe_http_request_seconds` | histogram | `route`, `status` | "
        in metrics_page.render()
    )
