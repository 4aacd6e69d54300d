"""Where clients connect, of whatever kind: one process, a gateway, or a load balancer."""

import time
from typing import Protocol

import jwt


class Place(Protocol):
    """What clients need to know."""

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        ...

    def token(self, user: str, ttl: float | None = None) -> str:
        """Return a token for the user, good for `ttl` seconds."""
        ...


class SignedPlace:
    """A place whose secret of HS256 we know."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.tokens: set[str] = set()
        """All that were made, which no log may hold."""
        self._secret = secret

    def token(self, user: str, ttl: float | None = None) -> str:
        claims = {"sub": user, "exp": time.time() + (3600 if ttl is None else ttl)}
        token = jwt.encode(claims, self._secret, "HS256")
        self.tokens.add(token)
        return token
