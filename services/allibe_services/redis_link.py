"""The way to Redis: scripts in, answers out, and one kind of failure, `LeasesUnavailable`.

Redis holds leases and tickets, nothing else: all of it may be lost at any moment, and nobody may
wait long for it. So everything here has a limit; a Redis that is away is asked by one caller at a
time, while the others are refused at once; and a script may be run again without harm.
"""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as NoAnswer

from allibe_services.contracts.errors import LeasesUnavailable
from allibe_services.runtime import cancellations

SCHEMES = ("redis", "rediss")

PREFIX = "{allibe}:"
"""What all keys begin with. A script touches several keys, some of which it learns from another
key, and a Redis Cluster runs it only where all are in one slot: the braces put them there."""

CONNECTIONS = 8
"""Most connections of a process: a call has one for a few milliseconds at most."""

SOCKET_SECONDS = 1.5
"""Longest wait for the network: to connect, to write, for an answer."""

EXCHANGE_SECONDS = 2.0
"""Longest that one script may take with all that it needs, a new connection included."""

HEALTH_SECONDS = 10
"""A connection that was idle for so long is asked for a sign of life before it is used."""

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds in which a Redis that is away is not asked at all, doubled each time: a connection that
is lost is nothing much, and one that is not there is not to be worn out."""

DOUBT_SECONDS = 60.0
"""For so long a script that was refused, and not run again, says that Redis is not well."""

_TLS_OPTIONS = (
    "ssl_ca_certs",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
)
_WANTED = "wanted redis://user:password@host:6379/0"

_LOST = (ConnectionLost, RuntimeError)
"""RuntimeError is uvloop's, for what is written to a connection that has just been closed."""

_AWAY = (*_LOST, NoAnswer, OSError)
"""Redis is not there, lets nobody in, or is still loading. What else it says is a refusal."""

NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
"""Lua: `now`, in milliseconds of Unix time, by the one clock that all processes share."""

Argument = str | int

log = structlog.get_logger(__name__)


_PING = "redis.call('SET', KEYS[1] .. 'ping', '', 'PX', 1000)"


class RedisLink:
    """A few connections to one Redis, opened when they are first needed.

    `call_seconds` is the publish time limit. Raises `ValueError` for a URL that is not Redis';
    whether anything answers there shows in the first call.
    """

    def __init__(self, url: str, *, call_seconds: float, connections: int = CONNECTIONS) -> None:
        self._options = _options(url) | {"max_connections": connections}
        self._call_seconds = call_seconds
        self._connections = connections
        self._turns = asyncio.Semaphore(connections)
        self._redis = self._new()
        self._health = _Health()
        self._closed = False

    async def run(self, script: str, *batches: Sequence[Argument]) -> list[Any]:
        """Run the script with each batch of arguments, one after the other; return the answers.

        It is Lua, with `PREFIX` for its only key, and may be run again without harm: it is, when
        a connection is lost.

        Raises `LeasesUnavailable` when Redis refuses or is away, or the time is up: the batches
        before were done, the failed one may have been.
        """
        deadline = _now() + self._call_seconds
        return [await self._run(script, batch, deadline) for batch in batches]

    @property
    def is_up(self) -> bool:
        """Whether Redis does what it is asked for, as the last calls say; True before the first."""
        return self._health.is_well is not False

    async def ping(self) -> None:
        """Raise `LeasesUnavailable` unless Redis takes a write now."""
        await self.run(_PING, [])

    async def close(self) -> None:
        """Refuse new calls, wait for those under way (they have limits), close all connections."""
        if self._closed:
            return
        self._closed = True
        for _ in range(self._connections):
            await self._turns.acquire()
        await _close_idle(self._redis)
        for _ in range(self._connections):
            self._turns.release()

    async def _run(self, script: str, arguments: Sequence[Argument], deadline: float) -> Any:
        began = _now()
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError:
            raise LeasesUnavailable from None
        try:
            if self._closed or self._health.refuses(began):
                raise LeasesUnavailable
            return await self._exchange(script, arguments, deadline)
        finally:
            self._turns.release()

    async def _exchange(self, script: str, arguments: Sequence[Argument], deadline: float) -> Any:
        redis, before = self._redis, cancellations()
        try:
            async with asyncio.timeout_at(min(deadline, _now() + EXCHANGE_SECONDS)):
                # Not EVALSHA: a Redis that was restarted or flushed knows no script, and a
                # kilobyte more costs less than to handle that.
                answer = await redis.eval(script, 1, PREFIX, *arguments)
        except (RedisError, *_AWAY) as error:
            self._health.failed(error, script)
            if isinstance(error, (*_AWAY, ReadOnlyError)) and redis is self._redis:
                # What has cut off one connection has most likely cut off the idle ones, and each
                # would cost a caller its time to find out. Or they lead to what was the primary.
                self._redis = self._new()
            if cancellations() > before:
                raise asyncio.CancelledError from error
            raise LeasesUnavailable from error
        except asyncio.CancelledError:
            self._health.left_open()
            raise
        finally:
            if redis is not self._redis:
                await _close_idle(redis)
        self._health.succeeded(script)
        if cancellations() > before:
            raise asyncio.CancelledError  # `asyncio.wait_for`, which redis uses, may swallow it
        return answer

    def _new(self) -> Redis:
        return Redis(connection_pool=ConnectionPool(**self._options))


class _Health:
    """Whether Redis is well, from how scripts end. One line in the log when that changes.

    It may refuse one script and run others (no memory left, a replica, a missing right), so one
    that was refused must have been run, too, before it is said that all is well.
    """

    def __init__(self) -> None:
        self.is_well: bool | None = None
        self._refused: dict[str, float] = {}
        self._failed_at = 0.0
        self._ask_at: float | None = None
        self._asks = False
        self._pause = FIRST_PAUSE

    def refuses(self, began: float) -> bool:
        """Tell whether to give up at once: Redis is away, and not asked, or asked by another.

        A call that began before that was known has waited long enough for its turn.
        """
        if self._ask_at is None:
            return False
        if _now() < self._ask_at or began < self._failed_at:
            return True
        self._ask_at, self._asks = _now() + EXCHANGE_SECONDS, True
        return False

    def failed(self, error: Exception, script: str) -> None:
        if isinstance(error, _AWAY):
            self._is_away()
        else:
            self._is_there()
            self._refused[script] = _now()
        if self.is_well is not False:
            self.is_well = False
            log.warning("redis_away", error=reason(error))

    def succeeded(self, script: str) -> None:
        self._is_there()
        if self.is_well:
            return
        self._refused.pop(script, None)
        if any(_now() - at < DOUBT_SECONDS for at in self._refused.values()):
            return
        self.is_well = True
        self._refused.clear()
        log.info("redis_connected")

    def left_open(self) -> None:
        """Let another call find out: the one that was to was cancelled."""
        if self._ask_at is not None:
            self._ask_at, self._asks = _now(), False

    def _is_away(self) -> None:
        if self._ask_at is None or self._asks:  # else it says what others have said just now
            self._failed_at = _now()
            self._ask_at, self._asks = self._failed_at + self._pause, False
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _is_there(self) -> None:
        self._ask_at, self._asks, self._pause = None, False, FIRST_PAUSE


async def _close_idle(redis: Redis) -> None:
    """Close the connections that nobody uses, in `SOCKET_SECONDS`. Raises nothing."""
    with suppress(RedisError, OSError):
        await redis.connection_pool.disconnect(inuse_connections=False)


def _options(url: str) -> dict[str, Any]:
    """Return what connections are made with. Raises `ValueError`, with no part of the URL."""
    try:
        parts = urlsplit(url)
        address = dict(parse_url(url))
    except ValueError:
        raise ValueError(f"not a Redis URL; {_WANTED}") from None
    if parts.scheme not in SCHEMES or not parts.hostname or parts.fragment:
        raise ValueError(f"not a Redis URL with a host; {_WANTED}")
    if not re.fullmatch(r"/?|/[0-9]{1,5}", parts.path):
        raise ValueError(f"the path is the number of a database; {_WANTED}")
    # Others would loosen our limits, or hold a password that is shown.
    known = _TLS_OPTIONS if parts.scheme == "rediss" else ()
    if not {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} <= {*known}:
        raise ValueError(f"the only options are, with rediss:, {', '.join(_TLS_OPTIONS)}")
    if parts.scheme == "rediss":
        _check_tls({name: value for name, value in address.items() if name in _TLS_OPTIONS})
    return address | {
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        "health_check_interval": HEALTH_SECONDS,
        # Once, at once, on a new connection: the old one was closed while nobody used it. Not
        # after a wait in vain: that would double it.
        "retry": Retry(NoBackoff(), 1, supported_errors=()),
        "retry_on_error": [*_LOST],
        "protocol": 2,  # 3 is for what a server pushes; nothing here asks for that
        "driver_info": None,
        "client_name": "allibe",
    }


def _check_tls(options: dict[str, Any]) -> None:
    """Raise `ValueError` for what nobody could connect with."""
    try:
        SSLConnection(**options).ssl_context.get()
    except (RedisError, OSError) as error:
        raise ValueError(f"its TLS options cannot be used: {error}") from None


def reason(error: Exception) -> str:
    """Return in one line why it failed. What Redis and its library say holds no password."""
    text = str(error) or "no answer in time"
    return f"{type(error).__name__}: {text.splitlines()[0]}"


def _now() -> float:
    return asyncio.get_running_loop().time()
