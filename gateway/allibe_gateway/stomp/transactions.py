"""The open transactions of one connection: requests held until their COMMIT.

A transaction here is about sending together, not about storing together: COMMIT hands over all
that was held, in order, and each of it succeeds or fails on its own.
"""

from collections.abc import Sequence
from typing import Final

from allibe_gateway.stomp.errors import (
    DuplicateTransaction,
    TooManyTransactions,
    TransactionTooLarge,
    UnknownTransaction,
)
from allibe_gateway.stomp.events import Send, Transactable
from allibe_gateway.stomp.limits import Limits

_HEADER_OVERHEAD: Final = 2
"""The colon and LF of a header line; without them a thousand empty headers would be free."""


class Transactions:
    """Every method raises UnknownTransaction for an id that is not open, but for `begin`."""

    __slots__ = ("_bytes", "_frames", "_held", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: dict[str, list[Transactable]] = {}
        self._frames = 0
        self._bytes = 0

    def begin(self, transaction: str) -> None:
        """Open one. Raises DuplicateTransaction, TooManyTransactions."""
        if transaction in self._held:
            raise DuplicateTransaction("this transaction is open already")
        if len(self._held) >= self._limits.transactions:
            raise TooManyTransactions(
                f"a connection may have {self._limits.transactions} transactions open"
            )
        self._held[transaction] = []

    def hold(self, transaction: str, request: Transactable) -> None:
        """Keep a request for the COMMIT. Raises TransactionTooLarge."""
        held = self._open(transaction)
        size = _size(request)
        if self._frames >= self._limits.transaction_frames:
            raise TransactionTooLarge(
                f"open transactions may hold {self._limits.transaction_frames} frames"
            )
        if self._bytes + size > self._limits.transaction_bytes:
            raise TransactionTooLarge(
                f"open transactions may hold {self._limits.transaction_bytes} bytes"
            )
        held.append(request)
        self._frames += 1
        self._bytes += size

    def commit(self, transaction: str) -> Sequence[Transactable]:
        """Close it and take what it held, in the order of arrival."""
        held = self._open(transaction)
        del self._held[transaction]
        self._frames -= len(held)
        self._bytes -= sum(map(_size, held))
        return held

    def abort(self, transaction: str) -> None:
        """Close it and forget what it held."""
        self.commit(transaction)

    def clear(self) -> None:
        """Abort them all, as DISCONNECT and the end of the connection do."""
        self._held.clear()
        self._frames = self._bytes = 0

    def _open(self, transaction: str) -> list[Transactable]:
        held = self._held.get(transaction)
        if held is None:
            raise UnknownTransaction("this transaction is not open")
        return held


def _size(request: Transactable) -> int:
    """Roughly the bytes of its frame: characters for bytes, which is exact for ASCII."""
    body = len(request.body) if isinstance(request, Send) else 0
    return body + sum(
        len(name) + len(value) + _HEADER_OVERHEAD for name, value in request.headers.items()
    )
