"""Servers and clients for the tests of this folder."""

from tests.support.fixtures import (
    clients,
    private_server,
    server,
    shared_demo,
    shared_private,
    start_server,
)
from tests.support.private_servers import postgres_template

__all__ = [
    "clients",
    "postgres_template",
    "private_server",
    "server",
    "shared_demo",
    "shared_private",
    "start_server",
]
