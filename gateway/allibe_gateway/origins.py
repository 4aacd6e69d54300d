"""Whether the page that wants to connect may: asked before the upgrade, by every transport.

Cross-site WebSocket hijacking is what this prevents: browsers do not ask a server beforehand
whether a page of another site may open a WebSocket to it (RFC 6455 §10.2).
"""

import structlog
from aiohttp import hdrs, web

from allibe_services.contracts.errors import OriginNotAllowed
from allibe_services.origins import Origins
from allibe_services.problems import respond
from allibe_services.telemetry import GatewayMetrics

MOST_NAMED = 100
"""Refused origins that the log names, each once: whoever runs this has to see a page that he
forgot, and nobody shall fill the log."""

LONGEST_NAMED = 200

log = structlog.get_logger(__name__)


class OriginCheck:
    """The list, with what is refused counted under the code `origin_not_allowed`."""

    def __init__(self, origins: Origins, metrics: GatewayMetrics) -> None:
        self._origins = origins
        self._metrics = metrics
        self._named: set[str] = set()

    def refusal(self, request: web.BaseRequest) -> web.Response | None:
        """Return the answer to a page that may not connect, 403; None where it may go on."""
        if self._origins.allow(request):
            return None
        self._metrics.errors.labels(OriginNotAllowed.code).inc()
        self._name(request.headers.get(hdrs.ORIGIN, ""))
        return respond(OriginNotAllowed(), self._origins.cors(request))

    def cors(self, request: web.BaseRequest, *, credentials: bool = False) -> dict[str, str]:
        """Return the headers that let the asking page read the answer: `Origins.cors`."""
        return self._origins.cors(request, credentials=credentials)

    def _name(self, origin: str) -> None:
        # What could move a terminal's cursor is spelled out: browsers send plain ASCII.
        shown = origin.encode("ascii", "backslashreplace").decode()[:LONGEST_NAMED]
        if shown not in self._named and len(self._named) < MOST_NAMED:
            self._named.add(shown)
            # Not the address: a token, or the secret of a session, may be in it.
            log.warning("origin_refused", origin=shown)
