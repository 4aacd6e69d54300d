"""Write what is generated: `python -m scripts.docs` (part of `make docs`).

docs/settings.md, docs/metrics.md, docs/alerts.md and docs/licences.md in full; in docs/protocol.md
and docs/limits.md the tables between `<!-- generated: name -->` and `<!-- end -->`; the web
client's mirror of the close codes; Grafana's dashboards; and Prometheus' rules as Kubernetes takes
them.
"""

import re
from collections.abc import Callable
from pathlib import Path

from scripts import (
    alerts_page,
    dashboards,
    licences,
    limits,
    metrics_page,
    prometheus_rule,
    protocol_tables,
    settings_page,
    typescript,
)

_ROOT = Path(__file__).resolve().parents[1]
DOCS = _ROOT / "docs"
CLIENT = _ROOT / "web" / "client" / "src"
GRAFANA = _ROOT / "deploy" / "grafana" / "dashboards"
MONITORING = _ROOT / "k8s" / "components" / "monitoring"

_TABLES: dict[str, Callable[[], str]] = {
    "rates": limits.rates,
    "close-codes": protocol_tables.close_codes,
    "error-codes": protocol_tables.error_codes,
    "http-errors": protocol_tables.http_errors,
    "stomp-errors": protocol_tables.stomp_errors,
    "limits": protocol_tables.limits,
}


def main() -> None:
    """Write all files."""
    for path, text in rendered().items():
        path.write_text(text)


def rendered() -> dict[Path, str]:
    """Return each file with its text as it should be."""
    protocol, limits_page = DOCS / "protocol.md", DOCS / "limits.md"
    return {
        DOCS / "settings.md": settings_page.render(),
        DOCS / "metrics.md": metrics_page.render(),
        protocol: with_tables(protocol.read_text()),
        limits_page: with_tables(limits_page.read_text()),
        DOCS / "alerts.md": alerts_page.render(),
        DOCS / "licences.md": licences.render(),
        CLIENT / "disconnects.ts": typescript.disconnects(),
        MONITORING / "prometheus-rule.yaml": prometheus_rule.render(),
        **{GRAFANA / name: text for name, text in dashboards.rendered().items()},
    }


def with_tables(page: str) -> str:
    """Return a page with fresh tables between its marks. Raises `KeyError` for an unknown one."""
    return re.sub(
        r"(?<=<!-- generated: )([a-z-]+)( -->\n).*?(?=<!-- end -->)",
        lambda mark: mark[1] + mark[2] + _TABLES[mark[1]](),
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    main()
