"""What a Grafana dashboard consists of, and its JSON: rows of panels, each with its queries.

`$__rate_interval` is Grafana's: four scrapes, or what a pixel stands for where that is more.
"""

from typing import Any, Literal

import msgspec

COLUMNS = 24
HEIGHT = 8
SCHEMA = 39
"""Of Grafana 10 and 11; newer ones migrate it when they load it."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

RATE = "[$__rate_interval]"


class Query(msgspec.Struct, frozen=True):
    """PromQL, and what its lines are called: text with `{{label}}`."""

    expr: str
    legend: str = "__auto"


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One graph, or one figure. `unit` is Grafana's name; `bad` is where a line turns red."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = 8
    stacked: bool = False
    bad: float | None = None
    about: str = ""


class Row(msgspec.Struct, frozen=True):
    """Panels under a heading; those that are too many for a line begin another one."""

    title: str
    panels: tuple[Panel, ...]


class Dashboard(msgspec.Struct, frozen=True):
    """`instances` is a metric whose instances can be chosen from, as `$instance`."""

    uid: str
    title: str
    rows: tuple[Row, ...]
    instances: str | None = None

    def json(self) -> dict[str, Any]:
        """Return what Grafana loads."""
        return {
            "uid": self.uid,
            "title": self.title,
            "tags": ["allibe"],
            "schemaVersion": SCHEMA,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "links": [_LINKS],
            "templating": {"list": self._variables()},
            "annotations": {"list": [_ALERTS]},
            "panels": self._panels(),
        }

    def _variables(self) -> list[dict[str, Any]]:
        variables: list[dict[str, Any]] = [
            {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}
        ]
        if self.instances is not None:
            query = f"label_values({self.instances}, instance)"
            variables.append(
                {
                    "name": "instance",
                    "type": "query",
                    "label": "Instance",
                    "datasource": DATASOURCE,
                    "query": {"query": query, "refId": "instance"},
                    "definition": query,
                    "refresh": 2,
                    "sort": 1,
                    "multi": True,
                    "includeAll": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                }
            )
        return variables

    def _panels(self) -> list[dict[str, Any]]:
        placed: list[dict[str, Any]] = []
        y = 0
        for row in self.rows:
            place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
            placed.append({"type": "row", "title": row.title, "collapsed": False, "gridPos": place})
            x, y = 0, y + 1
            for panel in row.panels:
                if x + panel.width > COLUMNS:
                    x, y = 0, y + HEIGHT
                place = {"x": x, "y": y, "w": panel.width, "h": HEIGHT}
                placed.append(_json(panel) | {"gridPos": place})
                x += panel.width
            y += HEIGHT
        return [{"id": number, **panel} for number, panel in enumerate(placed, 1)]


_LINKS = {
    "type": "dashboards",
    "tags": ["allibe"],
    "title": "Allibe",
    "icon": "external link",
    "tooltip": "",
    "targetBlank": False,
    "asDropdown": False,
    "includeVars": False,
    "keepTime": True,
}

_ALERTS = {
    "name": "Alerts",
    "datasource": DATASOURCE,
    "enable": True,
    "iconColor": "red",
    "expr": 'ALERTS{alertname=~"Allibe.*",alertstate="firing"}',
    "titleFormat": "{{alertname}}",
}


def quantiles(name: str, by: str = "", where: str = "", *quantile: float) -> tuple[Query, ...]:
    """Return queries for quantiles of a histogram, 0.5 and 0.99 by default."""
    labels = f"{by}, le" if by else "le"
    buckets = f"sum by ({labels}) (rate({name}_bucket{where}{RATE}))"
    shown = f"{{{{{by}}}}} " if by else ""
    return tuple(
        Query(f"histogram_quantile({one}, {buckets})", f"{shown}p{one * 100:g}")
        for one in quantile or (0.5, 0.99)
    )


def _json(panel: Panel) -> dict[str, Any]:
    custom = {"fillOpacity": 10, "showPoints": "never"}
    if panel.stacked:
        custom |= {"stacking": {"mode": "normal"}}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad is not None:
        steps.append({"color": "red", "value": panel.bad})
        custom |= {"thresholdsStyle": {"mode": "line"}}
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.kind == "timeseries":
        defaults["custom"] = custom
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _OPTIONS[panel.kind],
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": DATASOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
            }
            for number, query in enumerate(panel.queries)
        ],
    }


_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "area",
    },
}
