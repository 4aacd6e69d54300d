"""The bound of what all clients of a gateway together have not read. `Outbox` bounds each."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Lagging(Protocol):
    """A connection, as far as it matters here."""

    @property
    def unsent(self) -> int:
        """Bytes that its peer has not taken."""
        ...


_Connection = TypeVar("_Connection", bound=Lagging)


def too_far_behind(connections: Iterable[_Connection], most: int) -> list[_Connection]:
    """Return those whose end leaves no more than `most` unsent bytes: the furthest behind first.

    Between two looks more may come together, as much as is delivered meanwhile.
    """
    sizes = {one: one.unsent for one in connections}
    unsent = sum(sizes.values())
    if unsent <= most:
        return []
    found = []
    for one in sorted(sizes, key=sizes.__getitem__, reverse=True):
        found.append(one)
        unsent -= sizes[one]
        if unsent <= most:
            break
    return found
