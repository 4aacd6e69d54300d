"""What comes soon, or is asked for again: who looks at what is known a moment after it is so."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from allibe_gateway.stomp import Frame

T = TypeVar("T")

TRIES = 40
"""Who is connected is known to workers a moment later: tests post until it is."""


async def soon(coming: Awaitable[T]) -> T | None:
    """Return what comes soon, None when it does not: then it is asked for again."""
    try:
        async with asyncio.timeout(0.5):
            return await coming
    except TimeoutError:
        return None


def says(subscription: str, text: str) -> Callable[[Frame], bool]:
    """Return what tells whether a frame of a subscription holds a text."""
    return lambda frame: (
        frame.headers.get("subscription") == subscription and f'"{text}"'.encode() in frame.body
    )
