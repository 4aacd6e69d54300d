"""Servers and clients for the tests of this folder."""

from tests.support.fixtures import (
    clients,
    private_server,
    server,
    shared_demo,
    shared_private,
    start_server,
)

__all__ = [
    "clients",
    "private_server",
    "server",
    "shared_demo",
    "shared_private",
    "start_server",
]
