"""The server's HTTP side, as far as this client needs it, and where its token comes from:
the command line, the configured key, or the demo; in this order.
"""

import os
from collections.abc import Awaitable, Callable
from ssl import SSLError
from typing import TypeVar

import aiohttp
import msgspec
from aiohttp import hdrs
from yarl import URL

from allibe_services.auth import bare
from allibe_services.backends import signer
from allibe_services.contracts import disconnects
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Member
from allibe_services.settings import Settings
from allibe_standalone.terminal.endings import CONNECTION_LOST, NO_ANSWER, CannotChat, Lost

REQUEST_SECONDS = 10.0
"""Time for a request: a page of history takes milliseconds."""

TOKEN_SECONDS = 3600.0
"""How long a token of our own is good; another one is signed when it is over."""

Source = Callable[[], Awaitable[str]]

_Kind = TypeVar("_Kind")

_OK, _UNAUTHORIZED, _NOT_FOUND, _TOO_MANY, _SERVER_ERRORS = 200, 401, 404, 429, 500


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """A page of history. Entries are left as they came: later servers have further types."""

    epoch: str
    last_offset: int
    messages: list[msgspec.Raw]


class _Problem(msgspec.Struct, frozen=True):
    detail: str = ""


class _DemoToken(msgspec.Struct, frozen=True):
    token: str


class NoDemo(Exception):
    """The server hands out no tokens."""


class Api:
    """Calls of one server. All raise `Lost` (try again) and `CannotChat` (useless)."""

    def __init__(self, session: aiohttp.ClientSession, base: URL) -> None:
        self._session = session
        self._base = base

    async def history(self, room: str, token: str, *, limit: int) -> Page:
        """Return the latest messages of a room."""
        url = (self._rooms / room / "messages").with_query(limit=limit)
        return _decode(Page, await self._get(url, token))

    async def members(self, room: str, token: str) -> list[Member]:
        """Return the members of a room, the first hundred of them."""
        return _decode(list[Member], await self._get(self._rooms / room / "members", token))

    async def demo_token(self, user: str) -> str:
        """Return a token for a user of the demo. Raises `NoDemo` besides."""
        url = (self._base / "api/demo/token").with_query(user=user)
        return _decode(_DemoToken, await self._get(url, None)).token

    @property
    def _rooms(self) -> URL:
        return self._base / "api/chat/rooms"

    async def _get(self, url: URL, token: str | None) -> bytes:
        headers = {} if token is None else {hdrs.AUTHORIZATION: f"Bearer {token}"}
        limit = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        try:
            async with self._session.get(url, headers=headers, timeout=limit) as response:
                body = await response.read()
        except TimeoutError:
            raise Lost(NO_ANSWER) from None
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(url, error) from None
        if response.status != _OK:
            raise _refusal(response.status, body, demo=token is None)
        return body


def message_of(entry: msgspec.Raw | bytes) -> Message | None:
    """Return an entry of a log as a message; None where it is something else."""
    try:
        return msgspec.json.decode(entry, type=Message)
    except msgspec.DecodeError:
        return None


def unreachable(url: URL, error: Exception) -> Lost:
    """Return what a failed connection means, in the words of the system where it has some."""
    return Lost(CONNECTION_LOST, f"cannot connect to {url.authority}: {_reason(error)}")


def _reason(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    # asyncio writes its own text over the system's; resolver errors have numbers below 0.
    if isinstance(cause, OSError) and (cause.errno or 0) > 0 and not isinstance(cause, SSLError):
        return os.strerror(cause.errno or 0)
    words = cause.strerror if isinstance(cause, OSError) else None
    return words or str(cause) or type(cause).__name__


def _refusal(status: int, body: bytes, *, demo: bool) -> Exception:
    detail = _detail(body) or f"the server answers with HTTP status {status}"
    if demo and status == _NOT_FOUND:
        return NoDemo()
    if status == _UNAUTHORIZED:
        return Lost(disconnects.TOKEN_INVALID, detail)
    if status >= _SERVER_ERRORS or status == _TOO_MANY:
        return Lost(disconnects.UNAVAILABLE, detail)
    return CannotChat(detail)


def _detail(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Problem).detail
    except msgspec.DecodeError:
        return ""


def _decode(kind: type[_Kind], body: bytes) -> _Kind:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError:
        raise CannotChat("this address is not of an Allibe server") from None


class Tokens:
    """The token in use. `source` makes another; without one, `given` is the only one."""

    def __init__(self, *, given: str | None = None, source: Source | None = None) -> None:
        self._token = given
        self._source = source
        self._accepted = False

    async def take(self) -> str:
        """Return the token in use, or a fresh one. Raises what the source raises."""
        if self._token is None:
            if self._source is None:
                raise CannotChat("a new token is needed")
            self._token = await self._source()
            self._accepted = False
        return self._token

    def accepted(self) -> None:
        """The server took the token."""
        self._accepted = True

    def rejected(self, lost: Lost) -> None:
        """Get another one next time.

        Raises `CannotChat` where there is no other, and where this one was never good: the next
        would not be better.
        """
        if self._source is None:
            raise CannotChat(f"{lost.text} Start again with a new --token.")
        if not self._accepted:
            raise CannotChat(f"{lost.text} Is ALLIBE_JWT_SECRET that of this server?")
        self._token = None


def tokens_for(settings: Settings, api: Api, *, user: str, given: str | None) -> Tokens:
    """Return the user's tokens. Raises `ValueError` for a token or key that cannot be one."""
    if given is not None:
        return Tokens(given=_checked(given))
    if settings.jwt_secret or settings.jwt_private_key_file:
        sign = signer(settings).sign

        async def signed() -> str:
            return sign(user, ttl=TOKEN_SECONDS)

        return Tokens(source=signed)

    async def asked() -> str:
        try:
            return await api.demo_token(user)
        except NoDemo:
            raise CannotChat(
                "no --token, no ALLIBE_JWT_SECRET to sign one with, and this server hands out none"
            ) from None

    return Tokens(source=asked)


def _checked(given: str) -> str:
    token = bare(given)
    if not (token.isascii() and token.isprintable() and token):
        raise CannotChat("what --token has is no token")
    return token
