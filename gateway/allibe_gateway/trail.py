"""What users do on their connections, as lines of the log at `debug`: who and where, never what."""

import structlog

from allibe_services.log_level import debugs
from allibe_services.tracing import trace_id

log = structlog.get_logger(__name__)


def note(event: str, connection: str, user: str | None = None, **ids: str | int | None) -> None:
    """Say what was done, or happened; `ids` are of what, such as `room` and `message`.

    What is None is left out. Where it is not logged it costs a comparison.
    """
    if debugs():
        known = {name: one for name, one in ids.items() if one is not None}
        if isinstance(message := ids.get("message"), str) and (trace := trace_id(message)):
            known["trace"] = trace
        who = {} if user is None else {"user": user}
        log.debug(event, connection=connection, **who, **known)
