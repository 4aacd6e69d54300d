"""What is wrong with the settings, as far as can be told without starting."""

import asyncio
import ipaddress
from collections.abc import Callable

from allibe_fanout_worker.push import ways
from allibe_gateway.addresses import Addresses
from allibe_services.backends import about_database, verifier
from allibe_services.contracts.errors import AllibeError
from allibe_services.log_level import LOG_LEVELS
from allibe_services.origins import Origins
from allibe_services.rates.policy import policy_of
from allibe_services.rates.rate import Rate
from allibe_services.reach import unreached
from allibe_services.settings import Settings
from allibe_services.store.migrate import check_exists, current
from allibe_services.store.revisions import check_revision
from allibe_services.urls import (
    SQLITE,
    check_bus,
    check_database,
    check_redis,
    check_together,
    scheme_of,
)
from allibe_standalone import traces

LOG_FORMATS = ("console", "json")


def problems(settings: Settings) -> list[str]:
    """Return a sentence for each problem; none means that `allibe serve` would start."""
    checks: tuple[Callable[[Settings], None], ...] = (
        _check_key,
        check_bus,
        check_redis,
        check_together,
        _check_database,
        _check_addresses,
        _check_origins,
        _check_limits,
        _check_logging,
        _check_pushes,
        traces.check,
    )
    found = []
    for check in checks:
        try:
            check(settings)
        except (ValueError, OSError, AllibeError) as error:
            found.append(str(error))
    return found


def problems_outside(settings: Settings) -> list[str]:
    """Return a sentence for each of RabbitMQ and Redis that lets nobody in, after seconds."""
    return asyncio.run(unreached(settings))


def notes(settings: Settings) -> list[str]:
    """Return what is no problem, but may be a mistake: a path at which there is nothing yet."""
    if scheme_of(settings.database_url) != SQLITE:
        return []
    try:
        check_exists(settings.database_url)
    except ValueError as error:
        return [f"ALLIBE_DATABASE_URL: {error}; `allibe serve` and `allibe migrate` make one"]
    return []


def _check_key(settings: Settings) -> None:
    verifier(settings)


def _check_database(settings: Settings) -> None:
    check_database(settings)
    with about_database():
        revision = current(settings.database_url)
        if revision is not None:
            check_revision(revision)


def _check_addresses(settings: Settings) -> None:
    for variable, host in (("ALLIBE_HOST", settings.host), ("ALLIBE_OPS_HOST", settings.ops_host)):
        if host == "localhost":
            continue
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise ValueError(f"{variable}: {host!r} is not an IP address") from None
    if settings.port and settings.port == settings.ops_port and settings.host == settings.ops_host:
        raise ValueError("ALLIBE_OPS_PORT: the same as ALLIBE_PORT")


def _check_origins(settings: Settings) -> None:
    Origins(settings.origins)


def _check_limits(settings: Settings) -> None:
    policy_of(settings)
    Addresses(settings.trusted_proxies)


def _check_logging(settings: Settings) -> None:
    if settings.log_level.lower() not in LOG_LEVELS:
        raise ValueError(f"ALLIBE_LOG_LEVEL: one of {', '.join(LOG_LEVELS)}")
    if settings.log_format not in LOG_FORMATS:
        raise ValueError(f"ALLIBE_LOG_FORMAT: one of {', '.join(LOG_FORMATS)}")


def _check_pushes(settings: Settings) -> None:
    ways.check(settings)
    try:
        Rate.parse(settings.limit_user_pushes)
    except ValueError as error:
        raise ValueError(f"ALLIBE_LIMIT_USER_PUSHES: {error}") from None
