"""All of Allibe on one page: is it well, how much goes through, what is short."""

from scripts.dashboards.panels import RATE, Dashboard, Panel, Query, Row, quantiles

PROCESSES = '{job=~"(.*allibe.*[-_/])?(gateway|fanout-worker|rooms-api)|allibe"}'


def _figure(title: str, expr: str, unit: str = "short", bad: float | None = None) -> Panel:
    return Panel(title=title, queries=(Query(expr),), unit=unit, kind="stat", width=4, bad=bad)


def _burns(title: str, what: str, budget: float, about: str) -> Panel:
    ratio = f"allibe:{what}:ratio_rate"
    return Panel(
        title=title,
        queries=tuple(Query(f"{ratio}{window}", window) for window in ("5m", "1h", "1d")),
        unit="percentunit",
        bad=budget,
        about=f"{about} The line is what the objective allows over 30 days.",
    )


DASHBOARD = Dashboard(
    "allibe-overview",
    "Allibe: overview",
    (
        Row(
            "Now",
            (
                _figure("Connections", "sum(allibe_gateway_connections)"),
                _figure("Messages", f"sum(rate(allibe_bus_posts_total{RATE}))", "mps"),
                _figure("Deliveries", f"sum(rate(allibe_gateway_deliveries_total{RATE}))", "mps"),
                _figure(
                    "Send to delivery, p99",
                    quantiles("allibe_gateway_send_to_delivery_seconds", "", "", 0.99)[0].expr,
                    "s",
                    0.25,
                ),
                _figure(
                    "Shards without a worker",
                    "max(allibe_bus_shards) - (sum(allibe_worker_shards) or vector(0))",
                    bad=1,
                ),
                _figure(
                    "Alerts",
                    'count(ALERTS{alertname=~"Allibe.*",alertstate="firing"}) or vector(0)',
                    bad=1,
                ),
            ),
        ),
        Row(
            "Objectives",
            (
                _burns(
                    "Deliveries later than 250 ms", "delivery_errors", 0.01, "99 % are in time."
                ),
                _burns("Messages without a receipt", "receipt_errors", 0.001, "99.9 % get one."),
                _burns("Recoveries that failed", "recovery_errors", 0.001, "99.9 % succeed."),
            ),
        ),
        Row(
            "Traffic",
            (
                Panel(
                    title="Messages by what senders were told",
                    queries=(
                        Query(
                            f"sum by (result) (rate(allibe_bus_posts_total{RATE}))", "{{result}}"
                        ),
                    ),
                    unit="mps",
                ),
                Panel(
                    title="Send to delivery",
                    queries=quantiles("allibe_gateway_send_to_delivery_seconds"),
                    unit="s",
                ),
                Panel(
                    title="HTTP requests",
                    queries=(
                        Query(
                            f"sum by (status) (rate(allibe_http_request_seconds_count{RATE}))",
                            "{{status}}",
                        ),
                    ),
                    unit="reqps",
                ),
            ),
        ),
        Row(
            "What it stands on",
            (
                Panel(
                    title="Links that are down, processes",
                    queries=(
                        Query(
                            "count by (link) (allibe_link_up) - sum by (link) (allibe_link_up)",
                            "{{link}}",
                        ),
                    ),
                    bad=1,
                ),
                Panel(
                    title="Database transactions",
                    queries=quantiles("allibe_database_call_seconds", "kind"),
                    unit="s",
                ),
                Panel(
                    title="RabbitMQ takes no messages",
                    queries=(Query("max by (job) (allibe_bus_blocked)", "{{job}}"),),
                    bad=1,
                ),
            ),
        ),
        Row(
            "Processes",
            (
                Panel(
                    title="CPU, in cores",
                    queries=(
                        Query(
                            f"sum by (instance) (rate(process_cpu_seconds_total{PROCESSES}{RATE}))",
                            "{{instance}}",
                        ),
                    ),
                ),
                Panel(
                    title="Memory",
                    queries=(Query(f"process_resident_memory_bytes{PROCESSES}", "{{instance}}"),),
                    unit="bytes",
                ),
                Panel(
                    title="Event loop's lag, p99",
                    queries=quantiles("allibe_event_loop_lag_seconds", "instance", "", 0.99),
                    unit="s",
                    bad=0.25,
                ),
            ),
        ),
    ),
)
