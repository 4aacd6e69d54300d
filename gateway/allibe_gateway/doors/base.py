"""What a connection and its door know of each other."""

from collections.abc import Callable, Coroutine
from typing import Protocol

from allibe_gateway.fanout.outbox import Outbox
from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from allibe_services.contracts.errors import (
    AllibeError,
    NotAllowed,
    Overloaded,
    RateLimited,
    Refused,
    ShuttingDown,
    TokenExpired,
    TokenInvalid,
    TokenRequired,
    TokenRevoked,
    Unavailable,
)
from allibe_services.contracts.ids import UserId

Framing = Callable[[bytes], bytes]
"""How a text becomes finished bytes on a connection. Part of what makes views equal, so there are
a few functions for all connections, not one for each."""


class Connection(Protocol):
    """One WebSocket, or what stands in for one, as its door sees it."""

    id: str
    outbox: Outbox

    @property
    def framing(self) -> Framing:
        """How what the door writes to the outbox has to look."""
        ...

    @property
    def deflated(self) -> bool:
        """Whether what many get is to be compressed, once for all of them; what is for this
        connection alone is not worth it."""
        ...

    def expect_heart_beats(self, *, send_seconds: float, receive_seconds: float) -> None:
        """Send something every so many seconds, and close when nothing comes.

        0 means never; a peer that promised too little has to answer pings, where it has such.
        """
        ...

    def disconnect(self, reason: Disconnect) -> None:
        """Close for a reason from the table, after what was written; once."""
        ...

    @property
    def closing(self) -> bool:
        """Whether the connection is being closed: nothing more should be read or written."""
        ...


class Door(Protocol):
    """A wire protocol on a connection."""

    heart_beat: bytes
    """What to send to show life: finished bytes."""

    @property
    def user(self) -> UserId | None:
        """Whose connection it is, once that is known: for logs."""
        ...

    def open(self) -> Coroutine[None, None, None] | None:
        """Begin, once the connection stands: what there is to do before anything is received."""
        ...

    async def receive(self, chunk: bytes) -> int:
        """Take the content of one message; return how many frames it held. Raises nothing."""
        ...

    def fail(self, error: AllibeError) -> None:
        """Tell the client, then close."""
        ...

    def hint(self, in_ms: int) -> bool:
        """Tell the client when to come back on another connection; False where it cannot be told.

        This connection serves it until it has gone, or is closed a little after that time.
        """
        ...

    async def settled(self) -> None:
        """Return when what the client sent before has its receipts. Raises nothing."""
        ...

    async def close(self) -> None:
        """Let go of everything; the connection is gone."""
        ...


_DISCONNECTS: tuple[tuple[type[AllibeError], Disconnect], ...] = (
    (TokenExpired, disconnects.TOKEN_EXPIRED),
    (TokenInvalid, disconnects.TOKEN_INVALID),
    (TokenRevoked, disconnects.TOKEN_REVOKED),
    (TokenRequired, disconnects.TOKEN_REQUIRED),
    (NotAllowed, disconnects.NOT_ALLOWED),
    (Refused, disconnects.REFUSED),
    (ShuttingDown, disconnects.RESTART),
    (RateLimited, disconnects.RATE_LIMITED),
    (Overloaded, disconnects.OVERLOADED),
    (Unavailable, disconnects.UNAVAILABLE),
)


def disconnect_for(error: AllibeError) -> Disconnect:
    """Return how a connection ends that an error ends."""
    for kind, disconnect in _DISCONNECTS:
        if isinstance(error, kind):
            return disconnect
    return disconnects.INTERNAL_ERROR
