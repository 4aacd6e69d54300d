"""The bound of what all clients of a gateway together have not read. `Outbox` bounds each."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Lagging(Protocol):
    """A connection, as far as it matters here."""

    @property
    def unsent(self) -> int:
        """Bytes that its peer has not taken."""
        ...

    @property
    def closing(self) -> bool:
        """Whether it ends already, and has its bytes only for the peer to read them before."""
        ...


_Connection = TypeVar("_Connection", bound=Lagging)

STEPS = 64
"""Looks while as many bytes are written as there may be, once there nearly are: few connections end
at a time, and who reads does not notice."""


def too_far_behind(connections: Iterable[_Connection], most: int) -> list[_Connection]:
    """Return those whose end leaves no more than `most` unsent bytes.

    First those that end already, which keep their bytes until then, and then the furthest behind.
    """
    sizes = {one: one.unsent for one in connections}
    unsent = sum(sizes.values())
    if unsent <= most:
        return []
    found = []
    for one in sorted(sizes, key=lambda each: (each.closing, sizes[each]), reverse=True):
        found.append(one)
        unsent -= sizes[one]
        if unsent <= most:
            break
    return found


def next_look(unsent: int, most: int) -> int:
    """Return after how many written bytes to look again: there cannot be too many before."""
    return max(most - unsent, most // STEPS)
