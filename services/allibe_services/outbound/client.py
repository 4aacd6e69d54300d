"""POST to somebody else's server: one pool of connections, one set of rules, limits on everything.

What is checked is what is dialled: the connector makes its sockets here, one for each address that
it is about to connect to. A name that resolves to something else the next moment gains nothing.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import msgspec
from aiohttp import (
    AddrInfoType,
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    SocketFactoryType,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult

from allibe_services.outbound.errors import (
    AddressRefused,
    OutboundError,
    TimedOut,
    Unreachable,
    Untrusted,
)
from allibe_services.outbound.rules import Rules
from allibe_services.outbound.troubles import Troubles

CONNECTIONS = 100
CONNECTIONS_PER_HOST = 20
"""Most at a time. Most browsers of a kind share one push service, so one host may hold many."""

ANSWER_BYTES = 16_384
"""Read of an answer's body, and forgotten, so that the connection can be used again. One with more
is closed."""

LOOKUPS = 64
"""Most names looked up at a time, in threads of our own: no other part waits for a slow name
server."""


class TimeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: for connecting (name, TCP, TLS, a free place in the pool), and for everything."""

    connect: float = 5.0
    total: float = 10.0


class Answer(msgspec.Struct, frozen=True):
    """What came back. `retry_after` is the header as it stands."""

    status: int
    retry_after: str | None


class OutboundClient:
    """Asks under `rules`. Never follows a redirect, keeps no cookie, believes no proxy setting."""

    def __init__(self, session: ClientSession, rules: Rules) -> None:
        self._session = session
        self._rules = rules
        self._troubles = Troubles()

    def origin(self, url: str) -> str:
        """Return the URL's scheme, host and port (RFC 6454 §6.2). Raises `UrlRefused`."""
        return str(self._rules.checked(url).origin())

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send the body; return what came back, of whatever status. Raises `OutboundError`."""
        checked = self._rules.checked(url)
        origin = str(checked.origin())
        try:
            async with self._session.post(
                checked, data=body, headers=headers, allow_redirects=False
            ) as answer:
                await _forget_body(answer)
                self._troubles.answered(origin)
                return Answer(answer.status, answer.headers.get("Retry-After"))
        except TimeoutError:
            raise TimedOut("no complete answer in time") from None
        # ValueError: what aiohttp says of some answers that are no HTTP. RuntimeError: uvloop, of
        # sockets that fail while they connect; aiohttp, of a client that is closed.
        except (ClientError, OSError, ValueError, RuntimeError) as error:
            meaning = _meaning_of(error)
            self._troubles.failed(origin, meaning)
            raise meaning from None


@asynccontextmanager
async def outbound_client(
    rules: Rules, *, limits: TimeLimits | None = None
) -> AsyncIterator[OutboundClient]:
    """Hold a client; its connections are closed at the end."""
    limits = limits or TimeLimits()
    threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="outbound-names")
    try:
        connector = TCPConnector(
            limit=CONNECTIONS,
            limit_per_host=CONNECTIONS_PER_HOST,
            resolver=_Resolver(threads),
            # With a cache, lookups outlive the request that wanted them: no bound on their number.
            use_dns_cache=False,
            socket_factory=_guarded_sockets(rules),
            ssl=True if rules.loopback is None else rules.loopback.trust or True,
        )
        async with ClientSession(
            connector=connector,
            timeout=ClientTimeout(total=limits.total, connect=limits.connect),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": "Allibe", "Accept-Encoding": "identity"},
            auto_decompress=False,  # nobody reads it
            trust_env=False,
        ) as session:
            yield OutboundClient(session, rules)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


class _Resolver(AbstractResolver):
    """Looks names up in threads that serve nothing else."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _look_up, host, port, family
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Leave the threads to whoever made them."""


def _look_up(host: str, port: int, family: socket.AddressFamily) -> Sequence[AddrInfoType]:
    return socket.getaddrinfo(
        host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )


class _NotDialled(OSError):
    """An address against the rules: an `OSError`, so that other addresses are tried."""


def _guarded_sockets(rules: Rules) -> SocketFactoryType:
    def make(address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, where = address
        if not rules.allows(str(where[0])):
            # One text for all: several of these must still be one of these when they are combined.
            raise _NotDialled("against the rules")
        return socket.socket(family, kind, protocol)

    return make


async def _forget_body(answer: ClientResponse) -> None:
    """Read what is short. The status is known: whatever happens to the body, it stands."""
    seen = 0
    try:
        async for chunk in answer.content.iter_any():
            seen += len(chunk)
            if seen > ANSWER_BYTES:
                break
    except (OSError, ClientError):
        seen = ANSWER_BYTES + 1
    if seen > ANSWER_BYTES:
        answer.close()


def _meaning_of(error: Exception) -> OutboundError:
    if isinstance(error, ClientConnectorError) and isinstance(error.os_error, _NotDialled):
        return AddressRefused("it resolves to no address that may be asked")
    if isinstance(error, ClientSSLError | ssl.SSLError):
        return Untrusted(_complaint(error))
    return Unreachable(_cause(error))


def _complaint(error: ClientSSLError | ssl.SSLError) -> str:
    """Return what TLS says of the certificate, or of the handshake: it knows no path."""
    found: BaseException = error
    if isinstance(error, ClientConnectorCertificateError):
        found = error.certificate_error
    elif isinstance(error, ClientConnectorSSLError):
        found = error.os_error
    if isinstance(found, ssl.SSLCertVerificationError):
        return found.verify_message
    return getattr(found, "reason", None) or type(found).__name__


def _cause(error: Exception) -> str:
    """Return the error's name, and what the system says of it, without what was asked."""
    found = error.os_error if isinstance(error, ClientConnectorError) else error
    text = found.strerror if isinstance(found, OSError) else None
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
