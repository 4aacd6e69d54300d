"""Where the token comes from: the command line, the configured key, or the demo; in this order."""

from collections.abc import Awaitable, Callable

from allibe_services.auth import bare
from allibe_services.backends import signer
from allibe_services.settings import Settings
from allibe_standalone.terminal.api import Api, NoDemo
from allibe_standalone.terminal.endings import CannotChat, Lost

TOKEN_SECONDS = 3600.0
"""How long a token of our own is good; another one is signed when it is over."""

Source = Callable[[], Awaitable[str]]


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
