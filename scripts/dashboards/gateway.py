"""Gateways: connections, what goes in and out, who comes back, who is closed."""

from scripts.dashboards.panels import RATE, Dashboard, Panel, Query, Row, quantiles

MINE = '{instance=~"$instance"}'


def _rate(name: str, by: str = "instance") -> Query:
    return Query(f"sum by ({by}) (rate({name}{MINE}{RATE}))", f"{{{{{by}}}}}")


def _sum(name: str, by: str = "instance") -> Query:
    return Query(f"sum by ({by}) ({name}{MINE})", f"{{{{{by}}}}}")


DASHBOARD = Dashboard(
    "allibe-gateway",
    "Allibe: gateways",
    (
        Row(
            "Connections",
            (
                Panel(title="Connections", queries=(_sum("allibe_gateway_connections"),)),
                Panel(
                    title="Connections by door",
                    queries=(_sum("allibe_gateway_connections", "door"),),
                    stacked=True,
                ),
                Panel(
                    title="Rooms and subscriptions",
                    queries=(
                        Query(f"sum(allibe_gateway_rooms{MINE})", "rooms"),
                        Query(f"sum(allibe_gateway_subscriptions{MINE})", "subscriptions"),
                    ),
                ),
                Panel(
                    title="Closed by the server, by close code",
                    queries=(_rate("allibe_gateway_disconnects_total", "code"),),
                    unit="cps",
                    about="docs/protocol.md has the codes; 4409 is a slow consumer.",
                ),
                Panel(
                    title="Errors told to clients",
                    queries=(_rate("allibe_gateway_errors_total", "code"),),
                    unit="ops",
                ),
                Panel(
                    title="Limits exceeded",
                    queries=(
                        Query(
                            "sum by (limit, enforced)"
                            f" (rate(allibe_limit_exceeded_total{MINE}{RATE}))",
                            "{{limit}}, enforced: {{enforced}}",
                        ),
                    ),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Messages in",
            (
                Panel(
                    title="Messages from clients",
                    queries=(_rate("allibe_gateway_messages_in_total"),),
                    unit="mps",
                ),
                Panel(
                    title="Posted until confirmed",
                    queries=quantiles("allibe_bus_post_seconds", "", MINE),
                    unit="s",
                    about="Of each batch the message that waited longest.",
                ),
                Panel(title="Messages to be sent", queries=(_sum("allibe_bus_posts_waiting"),)),
            ),
        ),
        Row(
            "Messages out",
            (
                Panel(
                    title="Deliveries",
                    queries=(_rate("allibe_gateway_deliveries_total"),),
                    unit="mps",
                ),
                Panel(
                    title="Send to delivery",
                    queries=quantiles(
                        "allibe_gateway_send_to_delivery_seconds", "", MINE, 0.5, 0.99, 0.999
                    ),
                    unit="s",
                    bad=0.25,
                ),
                Panel(
                    title="Unsent",
                    queries=(_sum("allibe_gateway_unsent_bytes"),),
                    unit="bytes",
                    about="Bounded by ALLIBE_SLOW_CONSUMERS_BYTES.",
                ),
            ),
        ),
        Row(
            "Coming back",
            (
                Panel(
                    title="Recoveries",
                    queries=(_rate("allibe_gateway_recoveries_total", "result"),),
                    unit="ops",
                ),
                Panel(
                    title="Time to recover",
                    queries=quantiles("allibe_gateway_recovery_seconds", "", MINE),
                    unit="s",
                ),
                Panel(
                    title="Events missed",
                    queries=(
                        Query(f"sum(rate(allibe_gateway_gaps_total{MINE}{RATE}))", "holes filled"),
                        Query(f"sum(rate(allibe_gateway_doubts_total{MINE}{RATE}))", "doubts"),
                    ),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Process",
            (
                Panel(
                    title="File descriptors used",
                    queries=(
                        Query(f"process_open_fds{MINE} / process_max_fds{MINE}", "{{instance}}"),
                    ),
                    unit="percentunit",
                    bad=0.8,
                ),
                Panel(
                    title="Memory by connection",
                    queries=(
                        Query(
                            f"process_resident_memory_bytes{MINE}"
                            " / on (instance) (sum by (instance)"
                            f" (allibe_gateway_connections{MINE}) > 100)",
                            "{{instance}}",
                        ),
                    ),
                    unit="bytes",
                    about="From 100 connections on; a process without any takes 100 MB.",
                ),
                Panel(
                    title="Revocations held; fetches of keys",
                    queries=(
                        Query(f"max(allibe_auth_revocations{MINE})", "revocations"),
                        _rate("allibe_auth_key_fetches_total", "result"),
                    ),
                ),
            ),
        ),
    ),
    instances="allibe_gateway_rooms",
)
