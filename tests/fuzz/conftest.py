"""Servers and clients for the tests of this folder."""

from tests.support.fixtures import clients, start_server

__all__ = ["clients", "start_server"]
