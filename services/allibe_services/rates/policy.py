"""All limits, as the settings give them, and the one table that says what each is."""

from typing import Literal, get_args

import msgspec

from allibe_services.rates.rate import OFF, Rate
from allibe_services.settings import PREFIX, Settings

Limit = Literal[
    "user_messages",
    "room_messages",
    "slow_mode",
    "user_requests",
    "connection_frames",
    "connection_bytes",
    "subscriptions",
    "user_connections",
    "address_connections",
    "unsigned_connections",
    "new_connections",
    "sign_in",
]
"""The names by which metrics and ALLIBE_LIMITS_DRY_RUN know them."""

LIMITS: tuple[Limit, ...] = get_args(Limit)
ALL = "all"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed; None is no limit. Limits named in `dry_run` count and refuse nothing."""

    user_messages: Rate | None = None
    room_messages: Rate | None = None
    slow_mode: Rate | None = None
    user_requests: Rate | None = None
    connection_frames: Rate | None = None
    connection_bytes: Rate | None = None
    new_connections: Rate | None = None
    user_connections: int | None = None
    address_connections: int | None = None
    unsigned_connections: int | None = None
    dry_run: frozenset[str] = frozenset()

    def enforces(self, limit: Limit) -> bool:
        """Tell whether something is refused beyond the limit."""
        return limit not in self.dry_run


_RATES = (
    "user_messages",
    "room_messages",
    "user_requests",
    "connection_frames",
    "connection_bytes",
    "new_connections",
)
_COUNTS = ("user_connections", "address_connections", "unsigned_connections")
_SLOW_MODE = "slow_mode"

NO_LIMITS = {f"{PREFIX}LIMIT_{name.upper()}": OFF for name in (*_RATES, *_COUNTS, _SLOW_MODE)}
"""The environment of a server that is measured, or that tests wear out."""


def policy_of(settings: Settings) -> Policy:
    """Return what the settings say. Raises `ValueError` that names the variable."""
    rates = {name: _rate(settings, name) for name in _RATES}
    counts = {name: _count(settings, name) for name in _COUNTS}
    pause = settings.limit_slow_mode
    slow = None if pause == OFF else Rate(1 / float(pause), 1)
    return Policy(**rates, **counts, slow_mode=slow, dry_run=_dry_run(settings))  # type: ignore[arg-type]


def _rate(settings: Settings, name: str) -> Rate | None:
    try:
        return Rate.parse(getattr(settings, f"limit_{name}"))
    except ValueError as error:
        raise ValueError(f"{PREFIX}LIMIT_{name.upper()}: {error}") from None


def _count(settings: Settings, name: str) -> int | None:
    text = getattr(settings, f"limit_{name}")
    return None if text == OFF else int(text)


def _dry_run(settings: Settings) -> frozenset[str]:
    named = {word.strip() for word in settings.limits_dry_run.split(",")} - {""}
    unknown = named - {*LIMITS, ALL}
    if unknown:
        raise ValueError(
            f"{PREFIX}LIMITS_DRY_RUN: {min(unknown)!r} is no limit; there are all,"
            f" {', '.join(LIMITS)}"
        )
    return frozenset(LIMITS if ALL in named else named)
