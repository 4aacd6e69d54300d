"""Ports of loopback that nobody else takes, from now to the end of this process."""

import random
import socket

_reservations: dict[int, socket.socket] = {}


def reserve_port() -> int:
    """Return a free port that no other run on this machine is given, until `release_port`.

    RabbitMQ takes seconds until it listens, so that looking whether a port is free is not enough:
    two runs that start together could choose the same. A name in Linux's abstract socket
    namespace is the reservation; the kernel drops it with the process, however that ends.

    Below the ports that the kernel gives to outgoing connections: a client that reconnects while
    its server is down could be given the server's own port, and would then talk to itself.
    """
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        if (reservation := _reserve(port)) is None:
            continue
        if is_free(port):
            _reservations[port] = reservation
            return port
        reservation.close()


def release_port(port: int) -> None:
    """Let others have it. Nothing happens for a port that was not reserved."""
    if (reservation := _reservations.pop(port, None)) is not None:
        reservation.close()


def accepts(port: int) -> bool:
    """Tell whether someone takes connections on this port of loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of loopback."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier one that linger are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _reserve(port: int) -> socket.socket | None:
    reservation = socket.socket(socket.AF_UNIX)
    try:
        reservation.bind(f"\0allibe-port-{port}")
    except OSError:
        reservation.close()
        return None
    return reservation
