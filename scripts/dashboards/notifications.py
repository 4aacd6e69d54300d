"""Pushes: who is pushed something, who is not and why, and what does not arrive."""

from allibe_services.contracts.push import PushReason
from scripts.dashboards.panels import RATE, Dashboard, Panel, Query, Row

SENT = (PushReason.SENT, PushReason.GONE)
NOT_NEEDED = (
    PushReason.LOOKING,
    PushReason.OWN,
    PushReason.READ,
    PushReason.MUTED,
    PushReason.NOT_A_MEMBER,
    PushReason.NO_SUBSCRIPTION,
)
PUT_OFF = (
    PushReason.QUIET_HOURS,
    PushReason.RATE_LIMITED,
    PushReason.SERVICE_BUSY,
    PushReason.IN_ORDER,
)
TRIED_AGAIN = (
    PushReason.THROTTLED,
    PushReason.UNAVAILABLE,
    PushReason.UNREACHABLE,
    PushReason.UNTRUSTED,
    PushReason.TIMED_OUT,
)
REFUSED = (
    PushReason.URL_REFUSED,
    PushReason.ADDRESS_REFUSED,
    PushReason.BAD_KEYS,
    PushReason.TOO_LARGE,
    PushReason.UNAUTHORIZED,
    PushReason.REDIRECTED,
    PushReason.REJECTED,
)
OVER = (PushReason.EXPIRED, PushReason.GAVE_UP)


def _by_reason(title: str, reasons: tuple[PushReason, ...], about: str) -> Panel:
    chosen = "|".join(reasons)
    decisions = f'allibe_push_decisions_total{{reason=~"{chosen}"}}'
    return Panel(
        title=title,
        queries=(Query(f"sum by (reason) (rate({decisions}{RATE}))", "{{reason}}"),),
        unit="ops",
        stacked=True,
        about=about,
    )


DASHBOARD = Dashboard(
    "allibe-notifications",
    "Allibe: notifications",
    (
        Row(
            "Members with news",
            (
                _by_reason(
                    "To be pushed", (PushReason.SCHEDULED,), "Decisions, one for each member."
                ),
                _by_reason("Not to be pushed", NOT_NEEDED, "They know, or do not want to."),
                _by_reason("Put off", PUT_OFF, "No try was made; they come later."),
            ),
        ),
        Row(
            "Tries",
            (
                _by_reason("Taken, or no longer there", SENT, "By push services and the webhook."),
                _by_reason("To be tried again", TRIED_AGAIN, "The other side is away or slow."),
                _by_reason("Refused", REFUSED, "By our rules, or by the other side for good."),
            ),
        ),
        Row(
            "Lost and late",
            (
                _by_reason("Too late, or tried too often", OVER, "See those to be tried again."),
                Panel(
                    title="Undeliverable, over one way",
                    queries=(
                        Query(
                            f"sum by (reason, last) (rate(allibe_push_dead_total{RATE}))",
                            "{{reason}}, last {{last}}",
                        ),
                    ),
                    unit="ops",
                    about="They are in GET /api/chat/admin/dead-pushes.",
                ),
                Panel(
                    title="Lost by taken",
                    queries=(
                        Query(
                            f"sum(rate(allibe_push_dead_total{RATE}))"
                            f' / sum(rate(allibe_push_decisions_total{{reason="sent"}}{RATE}))',
                            "lost",
                        ),
                    ),
                    unit="percentunit",
                    bad=0.05,
                ),
                Panel(
                    title="Late",
                    queries=(
                        Query("max by (instance) (allibe_push_late_seconds)", "{{instance}}"),
                    ),
                    unit="s",
                    bad=60,
                    about="Of those that are taken up now, whoever has waited longest.",
                ),
            ),
        ),
    ),
)
