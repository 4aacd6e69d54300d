"""The URLs of bus, Redis and store: which schemes something here answers to, and which go together.

Nothing is opened. What is raised is a `ValueError` in one line, without any part of a URL but its
scheme: a password may be anywhere in one that is not as it should be.
"""

from urllib.parse import urlsplit

from yarl import URL

from allibe_services.redis_link import SCHEMES as REDIS
from allibe_services.settings import PREFIX, Settings

INPROCESS = "inprocess"
RABBITMQ = ("amqp", "amqps")
SQLITE = "sqlite"

_KNOWN = {
    "bus_url": (INPROCESS, *RABBITMQ),
    "redis_url": (INPROCESS, *REDIS),
    "database_url": (SQLITE, "postgresql"),
}
_BUS, _REDIS, _DATABASE = (PREFIX + field.upper() for field in _KNOWN)


def scheme_of(url: str) -> str:
    """Return a URL's scheme, or "" for what is no URL."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def check_urls(settings: Settings) -> None:
    """Raise `ValueError` for a scheme that nothing answers to, and as `check_together`."""
    check_bus(settings)
    check_redis(settings)
    check_database(settings)
    check_together(settings)


def check_bus(settings: Settings) -> None:
    """Raise `ValueError` for a bus that there is no implementation of, or that is nowhere."""
    _check_scheme("bus_url", settings)
    if scheme_of(settings.bus_url) == INPROCESS:
        return
    try:
        host = URL(settings.bus_url).host or ""
        host.encode("idna")  # as it will be looked up
    except ValueError:
        raise ValueError(f"{_BUS}: not a URL") from None
    if not host:
        raise ValueError(f"{_BUS}: no host; wanted amqp://user:password@host:5672/vhost")


def check_redis(settings: Settings) -> None:
    """Raise `ValueError` for what there is no implementation of."""
    _check_scheme("redis_url", settings)


def check_database(settings: Settings) -> None:
    """Raise `ValueError` for a database that there is no implementation of."""
    _check_scheme("database_url", settings)


def check_together(settings: Settings) -> None:
    """Raise `ValueError` for a bus between processes with something that is not."""
    if scheme_of(settings.bus_url) not in RABBITMQ:
        return
    if scheme_of(settings.database_url) == SQLITE:
        raise ValueError(
            f"{_DATABASE}: SQLite serves one process; the bus of {_BUS} is for several:"
            " postgresql://…"
        )
    if scheme_of(settings.redis_url) == INPROCESS:
        raise ValueError(
            f"{_REDIS}: in memory no other process sees who is connected; the bus of {_BUS} is for"
            " several: redis://…"
        )


def _check_scheme(field: str, settings: Settings) -> None:
    variable, known = PREFIX + field.upper(), _KNOWN[field]
    try:
        scheme = urlsplit(getattr(settings, field)).scheme
    except ValueError:
        raise ValueError(f"{variable}: not a URL") from None
    if scheme not in known:
        raise ValueError(f"{variable}: no implementation for {scheme!r}; known: {', '.join(known)}")
