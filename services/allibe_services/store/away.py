"""Says in the log when a database is away and when it is back, not each call that fails."""

import structlog

log = structlog.get_logger(__name__)


class Away:
    """What is known of a database from the last calls of one kind. Any thread may call it."""

    def __init__(self) -> None:
        self._said: set[tuple[str, object]] = set()
        self._failures = 0

    def failed(self, event: str, **details: object) -> None:
        """Note a failed call; said unless one has failed like that since the last answer."""
        self._failures += 1
        what = event, details.get("error")
        if what not in self._said:
            self._said.add(what)
            log.warning(event, **details)

    def answered(self) -> None:
        """Note a call that the database has answered."""
        if self._failures:
            log.info("database_back", failures=self._failures)
            self._failures = 0
            self._said = set()
