"""Write what is generated of the documentation: `python -m scripts.docs` (part of `make docs`).

docs/settings.md and docs/metrics.md in full; in docs/protocol.md and docs/limits.md the tables
between `<!-- generated: name -->` and `<!-- end -->`; and the web client's mirror of the close
codes. The code is the source, so the tables cannot lie; what the code does not say (when a
connection is closed so) stands here.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from allibe_gateway.doors.base import disconnect_for
from allibe_gateway.limits import Limits
from allibe_gateway.stomp.errors import (
    FrameTooLarge,
    HeaderTooLong,
    PeerViolation,
    TooManyHeaders,
    TooManyTransactions,
    TransactionTooLarge,
)
from allibe_gateway.stomp.limits import Limits as StompLimits
from allibe_services import settings
from allibe_services.auth import TOKEN_BYTES
from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from allibe_services.contracts.errors import (
    AllibeError,
    ContentTooLong,
    NotConfirmed,
    StoreUnavailable,
    TokenInvalid,
    TokenRequired,
    TooManySubscriptions,
)
from allibe_services.contracts.messages import CONTENT_BYTES
from allibe_services.settings import Settings
from allibe_services.telemetry import (
    AuthMetrics,
    GatewayMetrics,
    HttpMetrics,
    LimitMetrics,
    PushMetrics,
    WorkerMetrics,
)
from scripts import typescript
from scripts.limits import RATES

_ROOT = Path(__file__).resolve().parents[1]
DOCS = _ROOT / "docs"
CLIENT = _ROOT / "web" / "client" / "src"

_SETTINGS = """\
# Settings

Every setting is an environment variable; `scripts/docs.py` makes this table from
`services/allibe_services/settings.py`. An empty variable counts as not set. A name that starts
with `ALLIBE_` and is not listed here ends the start: a typo in a limit should not go unnoticed.
Times are in seconds, sizes in bytes. `allibe check` prints what is in force, secrets hidden.

"""

_SECRETS = """
## Secrets from files

A secret, or a URL with a password, may stand in a file, as Kubernetes and Docker mount them. The
file's text is taken without the blanks around it. Where both variables are set, the value itself
counts.

"""

_METRICS = """\
# Metrics

`/metrics` on the operations port (`ALLIBE_OPS_HOST`, `ALLIBE_OPS_PORT`), in Prometheus' text
format; `scripts/docs.py` makes these tables from `services/allibe_services/telemetry.py`. Each
process has the metrics of its service, `allibe serve` has all of them. A histogram `x` shows as
`x_bucket`, `x_sum` and `x_count`. Besides these there are the usual `process_…` and `python_…`.
Nothing is labelled by room or user: their number has no bound.
"""

_SERVICES: tuple[tuple[str, Callable[[CollectorRegistry], object]], ...] = (
    ("Gateway (`allibe gateway`)", GatewayMetrics),
    ("Fan-out worker (`allibe fanout-worker`)", WorkerMetrics),
    ("Pushes (`allibe fanout-worker`)", PushMetrics),
    ("HTTP (`allibe rooms-api`)", HttpMetrics),
    ("Tokens (`allibe gateway`, `allibe rooms-api`)", AuthMetrics),
    ("Limits (`allibe gateway`, `allibe rooms-api`)", LimitMetrics),
)

_WHEN: dict[Disconnect, str] = {
    disconnects.NORMAL: "You sent DISCONNECT or `leave`.",
    disconnects.INVALID_TEXT: "A WebSocket text message that is not UTF-8.",
    disconnects.MESSAGE_TOO_BIG: "A WebSocket message or a STOMP frame over its limit.",
    disconnects.INTERNAL_ERROR: "A fault of the server.",
    disconnects.RESTART: "The server stops. What it took has its receipt.",
    disconnects.OVERLOADED: "Too much is waiting.",
    disconnects.PROTOCOL_ERROR: "One of the STOMP errors below.",
    disconnects.TOKEN_REQUIRED: "No token came in time, or a request came before one.",
    disconnects.TOKEN_INVALID: "The token is not one of ours.",
    disconnects.TOKEN_EXPIRED: "The token is over.",
    disconnects.NOT_ALLOWED: "Not a member (any more), or another user's name or token.",
    disconnects.REFUSED: "Any other refused request.",
    disconnects.UNAVAILABLE: "Store or bus did not answer in time.",
    disconnects.TOKEN_REVOKED: "The token, or all of its user, was revoked.",
    disconnects.HEARTBEAT_LOST: "Nothing came from you for two heart-beats.",
    disconnects.SLOW_CONSUMER: "You read too slowly.",
    disconnects.RATE_LIMITED: "You did more than the limits allow; an ERROR or `error` says when to"
    " come back.",
    disconnects.LOG_RESET: "The log of one of your rooms has a new epoch.",
}
"""When the server closes so: the table of disconnects leaves that to those who use it."""


def main() -> None:
    """Write all files."""
    for path, text in rendered().items():
        path.write_text(text)


def rendered() -> dict[Path, str]:
    """Return each file with its text as it should be."""
    protocol, limits_page = DOCS / "protocol.md", DOCS / "limits.md"
    return {
        DOCS / "settings.md": settings_page(),
        DOCS / "metrics.md": metrics_page(),
        protocol: with_tables(protocol.read_text()),
        limits_page: with_tables(limits_page.read_text()),
        CLIENT / "disconnects.ts": typescript.disconnects(),
    }


def settings_page() -> str:
    """Return docs/settings.md."""
    rows = [(f"`{name}`", _code(default), text) for name, default, text in settings.table()]
    files = [
        (f"`{settings.PREFIX}{name.upper()}_FILE`", f"`{settings.PREFIX}{name.upper()}`")
        for name in sorted(settings.FROM_FILES)
    ]
    return (
        _SETTINGS
        + table(("variable", "default", "meaning"), rows)
        + _SECRETS
        + table(("variable", "names the file that holds"), files)
    )


def metrics_page() -> str:
    """Return docs/metrics.md."""
    sections = [
        f"\n## {title}\n\n" + table(("name", "type", "labels", "meaning"), _metrics(make))
        for title, make in _SERVICES
    ]
    return _METRICS + "".join(sections)


def with_tables(page: str) -> str:
    """Return a page with fresh tables between its marks. Raises `KeyError` for an unknown one."""
    return re.sub(
        r"(?<=<!-- generated: )([a-z-]+)( -->\n).*?(?=<!-- end -->)",
        lambda mark: mark[1] + mark[2] + _TABLES[mark[1]](),
        page,
        flags=re.DOTALL,
    )


def close_codes() -> str:
    """Return the table of disconnects."""
    return table(
        ("code", "reason", "when", "what to do"),
        ((str(one.code), one.reason, _WHEN[one], _what_to_do(one)) for one in disconnects.TABLE),
    )


def error_codes() -> str:
    """Return the table of `contracts.errors`."""
    return table(
        ("code", "HTTP", "retryable", "STOMP closes with", "meaning"),
        (
            (
                f"`{error.code}`",
                str(error.status),
                _yes(error.retryable),
                str(disconnect_for(error()).code),
                _one_line(error.__doc__),
            )
            for error in subclasses(AllibeError)
        ),
    )


def stomp_errors() -> str:
    """Return the table of what breaks the rules of STOMP."""
    return table(
        ("code", "closes with", "meaning"),
        (
            (
                f"`{error.code}`",
                str(_closes(error).code),
                _one_line(error.__doc__).replace("`Limits.", "`"),
            )
            for error in subclasses(PeerViolation)
        ),
    )


def limits() -> str:
    """Return the table of limits, with what happens beyond each."""
    return table(("limit", "value", "setting", "beyond it"), [*_stomp_limits(), *_limits()])


def rates() -> str:
    """Return the table of what is too much or too often: docs/limits.md."""
    return table(
        ("name", "what", "setting", "default", "unit", "beyond it"),
        (
            (f"`{limit}`", what, _variable(setting), _default(setting), unit, beyond)
            for limit, (what, setting, unit, beyond) in RATES.items()
        ),
    )


_TABLES: dict[str, Callable[[], str]] = {
    "rates": rates,
    "close-codes": close_codes,
    "error-codes": error_codes,
    "stomp-errors": stomp_errors,
    "limits": limits,
}


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def subclasses(base: type[Any]) -> Iterator[type[Any]]:
    """Yield what a client can meet: the classes with a code of their own, in reading order."""
    for error in base.__subclasses__():
        if error.__module__ == base.__module__:
            if "code" in vars(error):
                yield error
            yield from subclasses(error)


def _stomp_limits() -> Iterator[tuple[str, ...]]:
    stomp = StompLimits()
    for name, what, error in (
        ("frame_bytes", "bytes of a STOMP frame, its NUL included", FrameTooLarge),
        ("headers", "headers of a frame", TooManyHeaders),
        ("header_line_bytes", "bytes of a header line", HeaderTooLong),
        ("transactions", "transactions open at once", TooManyTransactions),
        ("transaction_frames", "frames that they hold", TransactionTooLarge),
        ("transaction_bytes", "bytes that they hold", TransactionTooLarge),
    ):
        yield f"`{name}`: {what}", _number(getattr(stomp, name)), "", f"`{error.code}`"


def _limits() -> Iterator[tuple[str, ...]]:
    bounds, times = Limits(), Settings()
    silence = bounds.silent_intervals * bounds.heart_beat_seconds
    for what, value, setting, beyond in (
        (
            "bytes of a WebSocket message",
            bounds.websocket_message_bytes,
            "",
            f"closed with {disconnects.MESSAGE_TOO_BIG.code}",
        ),
        ("bytes of a message's content, as UTF-8", CONTENT_BYTES, "", f"`{ContentTooLong.code}`"),
        ("bytes of a token", TOKEN_BYTES, "", f"`{TokenInvalid.code}`"),
        (
            "subscriptions to rooms on a connection, activity included, user queues not",
            bounds.subscriptions,
            "subscriptions_per_connection",
            f"`{TooManySubscriptions.code}`",
        ),
        (
            "messages of a connection without a receipt",
            bounds.in_flight,
            "in_flight_per_connection",
            "the server reads on when some are settled",
        ),
        (
            "messages replayed to a subscription",
            bounds.recovery_messages,
            "recovery_messages",
            "`x-recovered:false`",
        ),
        (
            "seconds until a token comes",
            bounds.sign_in_seconds,
            "sign_in_seconds",
            f"`{TokenRequired.code}`",
        ),
        ("seconds for a SUBSCRIBE", bounds.subscribe_seconds, "", f"`{StoreUnavailable.code}`"),
        (
            "seconds until a message is confirmed",
            times.publish_seconds,
            "publish_seconds",
            f"`{NotConfirmed.code}`",
        ),
        (
            f"seconds of your silence, {bounds.silent_intervals} heart-beats",
            silence,
            "heart_beat_seconds",
            f"closed with {disconnects.HEARTBEAT_LOST.code}",
        ),
        (
            "SockJS sessions over HTTP on a gateway",
            bounds.sockjs_sessions,
            "",
            "`overloaded`, 503 with `Retry-After`",
        ),
        ("bytes that you have not read", bounds.shed_bytes, "", "activity is skipped"),
        (
            "bytes that you have not read",
            bounds.slow_consumer_bytes,
            "slow_consumer_bytes",
            f"closed with {disconnects.SLOW_CONSUMER.code}",
        ),
        (
            "bytes that all clients of a gateway have not read",
            bounds.slow_consumers_bytes,
            "slow_consumers_bytes",
            f"those furthest behind are closed with {disconnects.SLOW_CONSUMER.code}",
        ),
    ):
        yield what, _number(value), _variable(setting), beyond


def _metrics(make: Callable[[CollectorRegistry], object]) -> Iterator[tuple[str, ...]]:
    registry = _Recorder()
    make(registry)
    for collector in registry.collectors:
        for metric in collector.describe():
            suffix = "_total" if metric.type == "counter" else ""
            # prometheus_client tells the names of labels nowhere else before the first sample.
            labels = ", ".join(f"`{label}`" for label in collector._labelnames)
            yield f"`{metric.name}{suffix}`", metric.type, labels, metric.documentation


class _Recorder(CollectorRegistry):
    """A registry that says what was registered, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.collectors: list[Any] = []

    def register(self, collector: Any) -> None:
        super().register(collector)
        self.collectors.append(collector)


def _what_to_do(disconnect: Disconnect) -> str:
    if disconnect is disconnects.NORMAL:
        return "Nothing."
    if not disconnect.reconnect:
        return "Do not reconnect: the client, or its user, has to change something."
    when = f"after {disconnect.delay_ms} ms" if disconnect.delay_ms else "at once"
    return (
        f"Get a new token, then reconnect {when}." if disconnect.new_token else f"Reconnect {when}."
    )


def _closes(error: type[PeerViolation]) -> Disconnect:
    too_big = issubclass(error, FrameTooLarge)
    return disconnects.MESSAGE_TOO_BIG if too_big else disconnects.PROTOCOL_ERROR


def _variable(name: str) -> str:
    if name and name not in Settings.__struct_fields__:
        raise ValueError(f"{name}: there is no such setting")
    return f"`{settings.PREFIX}{name.upper()}`" if name else ""


def _default(name: str) -> str:
    return f"`{getattr(Settings(), name)}`"


def _number(value: float) -> str:
    return f"{value:,.15g}"


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _code(text: str) -> str:
    return f"`{text}`" if text else "none"


if __name__ == "__main__":
    main()
