"""Says in the log whom we cannot reach and why, and when we can again: not each request."""

import structlog

from allibe_services.outbound.errors import OutboundError

ORIGINS = 200
"""Most that are remembered; what is forgotten is said again."""

log = structlog.get_logger(__name__)


class Troubles:
    """What is wrong with servers, by origin: paths may be secrets."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def failed(self, origin: str, error: OutboundError) -> None:
        """Note that there was no answer; said where that is new, or has another cause."""
        cause = f"{type(error).__name__}: {error}"
        if self._known.get(origin) == cause:
            return
        if origin not in self._known and len(self._known) >= ORIGINS:
            del self._known[next(iter(self._known))]
        self._known[origin] = cause
        log.warning("not_reached", origin=origin, cause=cause)

    def answered(self, origin: str) -> None:
        """Note an answer, of whatever status."""
        if self._known.pop(origin, None) is not None:
            log.info("reached_again", origin=origin)
