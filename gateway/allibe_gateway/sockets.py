"""What the kernel is asked to do for the socket of a connection."""

import asyncio
import socket

KEEPALIVE_IDLE_SECONDS = 60
KEEPALIVE_INTERVAL_SECONDS = 15
KEEPALIVE_PROBES = 4
"""A peer that vanished without heart-beats is found by the kernel after two minutes."""

KERNEL_BYTES = 32 * 1024
"""Bytes of a connection that wait in the kernel, besides those under way. It would else take up to
4 MiB (Linux): memory of the container too, and nothing that our bounds know of."""


def set_up(transport: asyncio.Transport) -> None:
    """Let the kernel find peers that vanished, and keep little for those that do not read."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, KERNEL_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
