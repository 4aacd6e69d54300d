"""Frames by hand, and connections that have been opened, for the tests of the protocol."""

import pytest

from allibe_gateway.stomp import ServerProtocol, State, Version
from allibe_gateway.stomp.errors import PeerViolation
from allibe_gateway.stomp.events import Event


def frame(command: str, body: str = "", **headers: str) -> bytes:
    """Wire bytes; underscores in names stand for hyphens, `id_` for `id`."""
    lines = [f"{name.rstrip('_').replace('_', '-')}:{value}\n" for name, value in headers.items()]
    return f"{command}\n{''.join(lines)}\n{body}\0".encode()


def connected(version: Version = Version.V1_2) -> ServerProtocol:
    protocol = ServerProtocol()
    list(protocol.receive(frame("CONNECT", accept_version=version, host="h")))
    return protocol


def one(protocol: ServerProtocol, chunk: bytes) -> Event:
    (event,) = protocol.receive(chunk)
    return event


def refused(protocol: ServerProtocol, chunk: bytes, error: type[PeerViolation]) -> PeerViolation:
    with pytest.raises(error) as caught:
        list(protocol.receive(chunk))
    assert protocol.state is State.CLOSED
    return caught.value
