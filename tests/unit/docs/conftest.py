"""Clients for the examples; each conversation has a fresh server of its own."""

from tests.support.fixtures import clients

__all__ = ["clients"]
