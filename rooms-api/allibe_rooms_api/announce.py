"""Events after changes. The change is stored by then: what cannot be published is logged only.

Whoever misses an event sees the change when it reads the room, its members or the room list again.
"""

import asyncio
from collections.abc import Sequence

import structlog

from allibe_rooms_api.call import Call
from allibe_services.contracts.events import Event

PUBLISH_SECONDS = 3.0
"""Longest wait for the bus: the caller waits too, and the whole request has 15 s."""

log = structlog.get_logger(__name__)


async def announce(call: Call, events: Sequence[Event]) -> None:
    """Publish events; a bus that does not take them in time does not fail the request."""
    try:
        async with asyncio.timeout(PUBLISH_SECONDS):
            await call.bus.publish(events)
    except Exception:
        log.exception("events_not_published", events=[type(event).__name__ for event in events])
