"""`store.away`: one line when a database goes away, one when it is back."""

from structlog.testing import capture_logs

from allibe_services.store.away import Away


def test_only_changes_are_said() -> None:
    away = Away()
    with capture_logs() as logs:
        away.answered()
        for _ in range(3):
            away.failed("database failed", error="OSError")
        away.failed("database too slow", seconds=5.0)
        away.failed("database failed", error="57P03")
        for _ in range(3):
            away.failed("database failed", error="OSError")
        away.answered()
        away.answered()
        away.failed("database failed", error="OSError")
    assert logs == [
        {"log_level": "warning", "event": "database failed", "error": "OSError"},
        {"log_level": "warning", "event": "database too slow", "seconds": 5.0},
        {"log_level": "warning", "event": "database failed", "error": "57P03"},
        {"log_level": "info", "event": "database back", "failures": 8},
        {"log_level": "warning", "event": "database failed", "error": "OSError"},
    ]
