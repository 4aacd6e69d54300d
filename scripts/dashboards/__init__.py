"""deploy/grafana/dashboards: `make docs` writes them, so that all look alike and none drifts.

panels     what a dashboard consists of, and its JSON
overview, gateway, worker, notifications     one dashboard each
"""

import json

from scripts.dashboards import gateway, notifications, overview, worker
from scripts.dashboards.panels import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (
    overview.DASHBOARD,
    gateway.DASHBOARD,
    worker.DASHBOARD,
    notifications.DASHBOARD,
)


def rendered() -> dict[str, str]:
    """Return the name of each file with its text."""
    return {f"{one.uid}.json": json.dumps(one.json(), indent=1) + "\n" for one in DASHBOARDS}
