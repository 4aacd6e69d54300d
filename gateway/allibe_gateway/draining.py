"""When each connection of a gateway that stops is to leave, so that a deploy is no stampede."""

from collections.abc import Iterable, Iterator
from random import shuffle
from typing import TypeVar

from allibe_gateway.limits import Limits

_Connection = TypeVar("_Connection")


def window(count: int, seconds: float, limits: Limits) -> float:
    """Return over how many seconds so many connections leave, where all is to be over in `seconds`.

    As many as it takes to send `drain_rate` away in each, but fewer where that is too long: the
    last one, too, has its receipts to wait for and its close to be answered.
    """
    last = limits.hand_over_seconds + limits.receipt_seconds + limits.close_seconds
    return min(count / limits.drain_rate, seconds - min(last, seconds / 2))


def slots(
    connections: Iterable[_Connection], seconds: float
) -> Iterator[tuple[float, _Connection]]:
    """Give each connection its own time to leave, evenly and in a random order, the first at 0."""
    order = list(connections)
    shuffle(order)
    for number, connection in enumerate(order):
        yield seconds * number / len(order), connection
