"""Figures: metrics in a Prometheus registry.

Nothing here is labelled by room or user: their number has no bound. Children of labelled metrics
that are used often are bound once; those that alerts count are there from the beginning, since a
rate of what never was is unknown, not 0, and one that begins with 500 at once is no increase.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from allibe_services.contracts.disconnects import TABLE
from allibe_services.contracts.push import PushReason
from allibe_services.hot_metrics import HotCounter, HotHistogram

LATENCY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds: from what one machine does to what a user calls broken."""

BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


RECOVERIES = ("complete", "incomplete", "failed")


class GatewayMetrics:
    """What a gateway counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connections = Gauge(
            "allibe_gateway_connections",
            "Open connections, by door: WebSockets, and SockJS sessions over HTTP as `sockjs`.",
            ["door"],
            registry=registry,
        )
        self.subscriptions = Gauge(
            "allibe_gateway_subscriptions", "Open subscriptions to rooms.", registry=registry
        )
        self.rooms = Gauge(
            "allibe_gateway_rooms", "Rooms with local subscribers.", registry=registry
        )
        self.messages_in = HotCounter(
            "allibe_gateway_messages_in", "Messages taken from clients.", registry=registry
        )
        self.deliveries = Counter(
            "allibe_gateway_deliveries",
            "Messages handed to the connections of subscribers.",
            registry=registry,
        )
        self.send_to_delivery = HotHistogram(
            "allibe_gateway_send_to_delivery_seconds",
            "From taking a message to handing it to the subscribers of this gateway, by the clocks"
            " of the two machines.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.gaps = Counter(
            "allibe_gateway_gaps",
            "Holes in a room's events, filled from the log.",
            registry=registry,
        )
        self.recoveries = Counter(
            "allibe_gateway_recoveries",
            "Subscriptions that asked for what they missed: `complete` got all of it, `incomplete`"
            " were told to load history (too far behind, or another log), `failed` were told to try"
            " again.",
            ["result"],
            registry=registry,
        )
        for result in RECOVERIES:
            self.recoveries.labels(result)
        self.recovery_seconds = Histogram(
            "allibe_gateway_recovery_seconds",
            "From such a subscription to its end of the replay, or its failure.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.doubts = Counter(
            "allibe_gateway_doubts",
            "Times that events may have been lost, and rooms were compared with the log.",
            registry=registry,
        )
        self.unsent = Gauge(
            "allibe_gateway_unsent_bytes",
            "Bytes that wait for connections to read them, over all of them.",
            registry=registry,
        )
        self.disconnects = Counter(
            "allibe_gateway_disconnects",
            "Connections closed by the server, by close code.",
            ["code"],
            registry=registry,
        )
        for one in TABLE:
            self.disconnects.labels(str(one.code))
        self.errors = Counter(
            "allibe_gateway_errors", "Errors told to clients, by code.", ["code"], registry=registry
        )


class WorkerMetrics:
    """What a fan-out worker counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.batch_size = Histogram(
            "allibe_worker_batch_messages",
            "Messages stored in one transaction.",
            buckets=BATCH_BUCKETS,
            registry=registry,
        )
        self.step_seconds = Histogram(
            "allibe_worker_step_seconds",
            "Time of a batch in a step, however often it was tried: `store`, `publish`.",
            ["step"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.queue_length = Gauge(
            "allibe_worker_queue_length",
            "What waits in a shard, as who consumes it was told 5 s ago at most: messages of"
            " RabbitMQ, each a batch of commands, or commands in one process.",
            ["shard"],
            registry=registry,
        )
        self.dead_letters = Gauge(
            "allibe_worker_dead_letters",
            "What could not be stored and waits for an operator, as the worker was told 5 s ago at"
            " most: messages of RabbitMQ. Of the whole deployment, so the same from all workers;"
            " NaN where RabbitMQ is away.",
            registry=registry,
        )
        self.oldest = Gauge(
            "allibe_worker_oldest_command_seconds",
            "Age of the oldest command of a shard that this worker has in hand; 0 without any.",
            ["shard"],
            registry=registry,
        )
        self.stalled = Gauge(
            "allibe_worker_stalled_shards",
            "Shards that wait for the database or the bus to come back.",
            registry=registry,
        )
        self.stored = Counter(
            "allibe_worker_messages_stored", "Messages added to a log.", registry=registry
        )
        self.duplicates = Counter(
            "allibe_worker_messages_duplicate",
            "Messages that were in the log already.",
            registry=registry,
        )
        self.rejected = Counter(
            "allibe_worker_messages_rejected",
            "Commands that the log cannot take.",
            registry=registry,
        )
        self.shards = Gauge(
            "allibe_worker_shards",
            "Shards that this worker consumes, active or standing by.",
            registry=registry,
        )
        self.rebalances = Counter(
            "allibe_worker_rebalances",
            "Times that this worker's share of the shards became another one.",
            registry=registry,
        )


class PushMetrics:
    """Why somebody was, or was not, pushed something."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._decisions = Counter(
            "allibe_push_decisions",
            "Decisions on pushes, by reason: one for each member when a room has news, and for each"
            " try of a push, or each browser that is tried.",
            ["reason"],
            registry=registry,
        )
        for reason in PushReason:
            self._decisions.labels(reason)
        self._dead = Counter(
            "allibe_push_dead",
            "Pushes that ended undeliverable over one way: `reason` ended them, `last` is what the"
            " last try came to. They are in `GET /api/chat/admin/dead-pushes`.",
            ["reason", "last"],
            registry=registry,
        )
        self.late = Gauge(
            "allibe_push_late_seconds",
            "For how long the user had been due that this worker took up last, and waited longest.",
            registry=registry,
        )

    def count(self, reason: str) -> None:
        """Count one; a `PushReason`."""
        self._decisions.labels(reason).inc()

    def count_dead(self, reason: str, last: str) -> None:
        """Count one that is undeliverable; each a `PushReason`."""
        self._dead.labels(reason, last).inc()


class LimitMetrics:
    """What is too much, whether refused or only counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._exceeded = Counter(
            "allibe_limit_exceeded",
            "Times that a limit was exceeded; `enforced` is `false` in a dry run.",
            ["limit", "enforced"],
            registry=registry,
        )

    def count(self, limit: str, *, enforced: bool) -> None:
        """Count one; `limit` is one of the names in `rates.policy`."""
        self._exceeded.labels(limit, "true" if enforced else "false").inc()


class HttpMetrics:
    """What rooms-api counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Histogram(
            "allibe_http_request_seconds",
            "Time to answer an HTTP request, by route and status.",
            ["route", "status"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request; `route` is the pattern, not the path."""
        self._requests.labels(route, str(status)).observe(seconds)


class AuthMetrics:
    """What is counted wherever tokens are verified."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._key_fetches = Counter(
            "allibe_auth_key_fetches",
            "Fetches of the issuer's published keys, by `ok` or `failed`.",
            ["result"],
            registry=registry,
        )
        self.revocations = Gauge(
            "allibe_auth_revocations",
            "Revocations of users and tokens that are held in memory.",
            registry=registry,
        )

    def key_fetch(self, brought_keys: bool) -> None:
        """Count a fetch."""
        self._key_fetches.labels("ok" if brought_keys else "failed").inc()
