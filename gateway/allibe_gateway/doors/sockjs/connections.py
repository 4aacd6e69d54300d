"""All SockJS sessions over HTTP of a gateway, and who may speak to which.

A session's id is chosen by its client, and whoever knows it is its client: it is the secret. What
else a request shows is held against it, so that a guess, or an id that leaked, is not enough:

- the server part of the path, which a client chooses once for a session too,
- the credential (`Authorization`, `?token=`) that the session was opened with, if any,
- the `Origin`, of requests that have one (browsers leave it out of some).

The address of the client is not: those who need SockJS are behind proxies with several.
"""

import asyncio
from collections import deque

from msgspec import Struct

from allibe_gateway.doors.sockjs.connection import HttpConnection


class Visitor(Struct, frozen=True):
    """What a request shows of who sends it. `credential` is a hash of it, 0 for none."""

    server: str
    credential: int
    origin: str | None


class _Session:
    """A connection and whose it is."""

    __slots__ = ("connection", "owner")

    def __init__(self, connection: HttpConnection, owner: Visitor) -> None:
        self.connection = connection
        self.owner = owner

    def admits(self, visitor: Visitor) -> bool:
        owner = self.owner
        if visitor.server != owner.server:
            return False
        if owner.credential and visitor.credential != owner.credential:
            return False
        if owner.origin is None:
            self.owner = Visitor(owner.server, owner.credential, visitor.origin)
            return True
        return visitor.origin in (None, owner.origin)


class NotYours(Exception):
    """The session exists, and is another client's."""


class HttpConnections:
    """Connections by session id: at most `most`, ended ones for `seconds` more."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._sessions: dict[str, _Session] = {}
        self._ended: deque[tuple[float, str]] = deque()

    @property
    def full(self) -> bool:
        """Whether no further one may be added."""
        return len(self._sessions) >= self._most

    def find(self, session_id: str, visitor: Visitor) -> HttpConnection | None:
        """Return the visitor's connection, None when there is none. Raises `NotYours`."""
        self.forget(asyncio.get_running_loop().time())
        session = self._sessions.get(session_id)
        if session is None:
            return None
        if not session.admits(visitor):
            raise NotYours
        return session.connection

    def add(self, session_id: str, visitor: Visitor, connection: HttpConnection) -> None:
        """Let a connection be found under an id that is free."""
        self._sessions[session_id] = _Session(connection, visitor)

    def ended(self, session_id: str) -> None:
        """Forget a connection before long; until then it says why it is closed."""
        now = asyncio.get_running_loop().time()
        self._ended.append((now + self._seconds, session_id))

    def drop(self, session_id: str) -> None:
        """Forget a connection now."""
        del self._sessions[session_id]

    def forget(self, now: float) -> None:
        """Forget those whose time has come, in loop time."""
        while self._ended and self._ended[0][0] <= now:
            del self._sessions[self._ended.popleft()[1]]
