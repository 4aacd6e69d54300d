"""Workers and queues: what waits, how fast it is stored, and by whom."""

from scripts.dashboards.panels import RATE, Dashboard, Panel, Query, Row, quantiles

MINE = '{instance=~"$instance"}'


def _rate(name: str, legend: str) -> Query:
    return Query(f"sum(rate({name}{MINE}{RATE}))", legend)


DASHBOARD = Dashboard(
    "allibe-worker",
    "Allibe: workers and queues",
    (
        Row(
            "What waits",
            (
                Panel(
                    title="Oldest command in hand",
                    queries=(
                        Query(
                            "max by (shard) (allibe_worker_oldest_command_seconds)",
                            "shard {{shard}}",
                        ),
                    ),
                    unit="s",
                    bad=10,
                ),
                Panel(
                    title="Batches in the queue",
                    queries=(
                        Query("max by (shard) (allibe_worker_queue_length)", "shard {{shard}}"),
                    ),
                    bad=1000,
                ),
                Panel(
                    title="Shards that stall",
                    queries=(
                        Query("sum by (instance) (allibe_worker_stalled_shards)", "{{instance}}"),
                    ),
                    bad=1,
                ),
            ),
        ),
        Row(
            "Storing",
            (
                Panel(
                    title="Messages",
                    queries=(
                        _rate("allibe_worker_messages_stored_total", "stored"),
                        _rate("allibe_worker_messages_duplicate_total", "stored before"),
                        _rate("allibe_worker_messages_rejected_total", "rejected"),
                    ),
                    unit="mps",
                ),
                Panel(
                    title="Messages in a batch",
                    queries=(
                        *quantiles("allibe_worker_batch_messages", "", MINE),
                        Query(
                            f"sum(rate(allibe_worker_batch_messages_sum{MINE}{RATE}))"
                            f" / sum(rate(allibe_worker_batch_messages_count{MINE}{RATE}))",
                            "mean",
                        ),
                    ),
                ),
                Panel(
                    title="Time of a batch",
                    queries=quantiles("allibe_worker_step_seconds", "step", MINE),
                    unit="s",
                ),
            ),
        ),
        Row(
            "Sharing",
            (
                Panel(
                    title="Shards by worker",
                    queries=(Query("sum by (instance) (allibe_worker_shards)", "{{instance}}"),),
                    stacked=True,
                ),
                Panel(
                    title="Changes of the share",
                    queries=(
                        Query(
                            f"sum by (instance) (increase(allibe_worker_rebalances_total{RATE}))",
                            "{{instance}}",
                        ),
                    ),
                ),
                Panel(
                    title="CPU, in cores",
                    queries=(
                        Query(
                            f"sum by (instance) (rate(process_cpu_seconds_total{MINE}{RATE}))",
                            "{{instance}}",
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Database",
            (
                Panel(
                    title="Transactions that run or wait",
                    queries=(
                        Query(f"allibe_database_calls{MINE}", "{{instance}}"),
                        Query(f"max(allibe_database_connections{MINE})", "at once at most"),
                    ),
                ),
                Panel(
                    title="Time of a transaction",
                    queries=quantiles("allibe_database_call_seconds", "kind", MINE),
                    unit="s",
                ),
                Panel(
                    title="Transactions that failed",
                    queries=(
                        Query(
                            f"sum by (instance) (rate(allibe_database_failures_total{MINE}{RATE}))",
                            "{{instance}}",
                        ),
                    ),
                    unit="ops",
                ),
            ),
        ),
    ),
    instances="allibe_worker_shards",
)
