"""When a peer may send which frame.

1. The first frame is CONNECT or STOMP, and it is the only one of its kind.
2. Between it and DISCONNECT every other client command may come, in any order.
3. After DISCONNECT nothing may come but line ends.
4. Server commands never come from a client.
5. Any error ends the connection: the state is CLOSED from then on.

The table is rules 1 to 3; what it does not list is an error, which `refusal` names.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from allibe_gateway.stomp.errors import (
    AlreadyConnected,
    AlreadyDisconnected,
    NotConnected,
    PeerViolation,
    UnknownCommand,
)
from allibe_gateway.stomp.frames import CLIENT_COMMANDS


class State(Enum):
    AWAITING_CONNECT = "awaiting connect"
    CONNECTED = "connected"
    CLOSED = "closed"


TRANSITIONS: Final[Mapping[State, Mapping[str, State]]] = {
    State.AWAITING_CONNECT: {
        "CONNECT": State.CONNECTED,
        "STOMP": State.CONNECTED,
    },
    State.CONNECTED: {
        "SEND": State.CONNECTED,
        "SUBSCRIBE": State.CONNECTED,
        "UNSUBSCRIBE": State.CONNECTED,
        "ACK": State.CONNECTED,
        "NACK": State.CONNECTED,
        "BEGIN": State.CONNECTED,
        "COMMIT": State.CONNECTED,
        "ABORT": State.CONNECTED,
        "DISCONNECT": State.CLOSED,
    },
    State.CLOSED: {},
}

_REFUSALS: Final[Mapping[State, tuple[type[PeerViolation], str]]] = {
    State.AWAITING_CONNECT: (NotConnected, "the first frame must be CONNECT"),
    State.CONNECTED: (AlreadyConnected, "this connection is connected already"),
    State.CLOSED: (AlreadyDisconnected, "no frame may follow DISCONNECT"),
}


def refusal(state: State, command: str) -> PeerViolation:
    """The error for a command that the state's row does not list."""
    if command not in CLIENT_COMMANDS:
        return UnknownCommand("this is no command of a STOMP client")
    error, message = _REFUSALS[state]
    return error(message)
